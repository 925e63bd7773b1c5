import { BigInt, ethereum } from '@graphprotocol/graph-ts'
import { GovernorSettingChange } from '../generated/schema'
import { logId } from '../ids'
import { setLogPosition } from './log'
import { getOrCreateProtocol } from './protocol'

/** Writes down that a parameter of the governor or its timelock, by its name in GovernorSetting, was set. */
export function recordSettingChange(event: ethereum.Event, setting: string, oldValue: BigInt, newValue: BigInt): void {
  const change = new GovernorSettingChange(logId(event))
  change.setting = setting
  change.oldValue = oldValue
  change.newValue = newValue
  setLogPosition(change, event, getOrCreateProtocol())
  change.save()
}
