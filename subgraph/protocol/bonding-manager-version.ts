import { Address, ByteArray, Bytes, crypto } from '@graphprotocol/graph-ts'

/** From here on Bond moves stake away from the zero-address delegate too; before, it left it there. */
export const MOVES_STAKE_FROM_ZERO_ADDRESS = 3
/** From here on rebondFromUnbonded initialises the delegate's factors of the round. */
export const INITIALISES_POOL_AT_REBOND = 8
/** What an address not listed below is taken for. */
export const LATEST_BONDING_MANAGER_VERSION = 9

/** BondingManager's deployments behind its proxy on Arbitrum One, version 1 first. */
const TARGETS = [
  '0xe479b9fba2cd65f822f451fc8c145c663b995ce6',
  '0xc40df4db2f99e7e235780a93b192f1a934f0c45b',
  '0x3757db506ecd9cbe643660c0f5b70db5b321202c',
  '0x0f9c425e7374602c20370d3fd263155b4c3bdc91',
  '0x3a941e1094b9e33efabb26a9047a8abb4b257907',
  '0x9c9209c9ff6996513b3673d69ee7b36a6c58a8cf',
  '0x363cdb9bae210ef182c60b5a496139e980330127',
  '0x557093b1ab53412166bead939f34244170b6525b',
  '0x6b397f20dc227b4e23fec20bbdbe166d0dffc452',
]

/** BondingManager's proxy on Arbitrum One. */
const ARBITRUM_ONE = '0x35bcf3c30594191d53231e4ff333e8a770453e40'
/** Blocks at which those were deployed there; each took over some time later. */
const DEPLOYED_AT = [
  5_856_369, 6_751_264, 6_897_365, 8_014_612, 21_197_217, 108_471_272, 139_793_542, 146_118_898, 194_176_436,
]

/**
 * The version that a block's events come from where Controller, whose event tells the switch to the block, is not
 * indexed: the latest deployed by then on Arbitrum One, the latest of all anywhere else.
 */
export function bondingManagerVersionAt(bondingManager: Address, block: i32): i32 {
  if (bondingManager != Address.fromString(ARBITRUM_ONE)) return LATEST_BONDING_MANAGER_VERSION
  let version = 1
  while (version < DEPLOYED_AT.length && DEPLOYED_AT[version] <= block) version++
  return version
}

/** Whether a Controller.SetContractInfo is about the code behind the BondingManager proxy. */
export function isBondingManagerTarget(contractId: Bytes): boolean {
  return contractId == Bytes.fromByteArray(crypto.keccak256(ByteArray.fromUTF8('BondingManagerTarget')))
}

/** 1 to 9 by the deployment's address; the latest for an address not known. */
export function bondingManagerVersion(target: Address): i32 {
  for (let i = 0; i < TARGETS.length; i++) {
    if (target == Address.fromString(TARGETS[i])) return i + 1
  }
  return LATEST_BONDING_MANAGER_VERSION
}
