import { BigInt, Bytes, ethereum } from '@graphprotocol/graph-ts'

/** The one Protocol entity: 0x00000000. */
export function protocolId(): Bytes {
  return Bytes.fromI32(0)
}

/** A round by its number, so that it can be loaded without a query: 3 → 0x03000000. */
export function roundId(round: i32): Bytes {
  return Bytes.fromI32(round)
}

/** A state of an account that was superseded; unique because a state is split only between blocks or rounds. */
export function supersededPositionId(account: Bytes, fromBlock: i32, fromRound: i32): Bytes {
  return account.concatI32(fromBlock).concatI32(fromRound)
}

/** A transcoder's pool of a round. */
export function earningsPoolId(transcoder: Bytes, round: i32): Bytes {
  return transcoder.concatI32(round)
}

/** BondingManager counts locks per owner: owner ++ number. */
export function unbondingLockId(owner: Bytes, lockId: i32): Bytes {
  return owner.concatI32(lockId)
}

/** A log: several can stand in one transaction, so transaction hash ++ log index. */
export function logId(event: ethereum.Event): Bytes {
  return event.transaction.hash.concatI32(event.logIndex.toI32())
}

/** What one treasury pays another is a transfer of both: log ++ treasury. */
export function treasuryTransferId(event: ethereum.Event, treasury: Bytes): Bytes {
  return logId(event).concat(treasury)
}

/** Contradictions are numbered as they are met. */
export function contradictionId(number: i32): Bytes {
  return Bytes.fromI32(number)
}

/** A governor's proposal: its proposalId as 32 bytes, big endian, the way block explorers print it in hex. */
export function treasuryProposalId(proposalId: BigInt): Bytes {
  return uint256(proposalId)
}

/** Every Aragon Voting app counts its votes from 0: app ++ voteId as 32 bytes, big endian, as in calldata. */
export function aragonVoteId(app: Bytes, voteId: BigInt): Bytes {
  return app.concat(uint256(voteId))
}

/** What a holder has of a voting token now; one can be in several DAOs: token ++ holder. */
export function tokenBalanceId(token: Bytes, holder: Bytes): Bytes {
  return token.concat(holder)
}

/** What a holder had of a voting token; unique because balances are split only between blocks. */
export function supersededTokenBalanceId(token: Bytes, holder: Bytes, fromBlock: i32): Bytes {
  return tokenBalanceId(token, holder).concatI32(fromBlock)
}

/** A voter has one choice that counts per proposal: proposal ++ voter. */
export function voteId(proposal: Bytes, voter: Bytes): Bytes {
  return proposal.concat(voter)
}

function uint256(number: BigInt): Bytes {
  const bytes = new Bytes(32)
  for (let i = 0; i < 32; i++) bytes[31 - i] = i < number.length ? number[i] : 0
  return bytes
}

/** An id as the store takes it, in 0x and hex digits, as toHexString() gives it; made here, as a call out of the sandbox costs more. */
export function toHex(bytes: Bytes): string {
  const text = new Uint16Array(2 + 2 * bytes.length)
  text[0] = 0x30
  text[1] = 0x78
  for (let i = 0; i < bytes.length; i++) {
    const byte: i32 = bytes[i]
    text[2 + 2 * i] = digit(byte >> 4)
    text[3 + 2 * i] = digit(byte & 15)
  }
  return String.UTF16.decode(text.buffer)
}

function digit(value: i32): u16 {
  return <u16>(value < 10 ? 0x30 + value : 0x57 + value)
}
