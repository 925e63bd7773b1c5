import { endpointOf, hostOf, withoutSecrets } from '../api/facts/rpc.ts'
import { pause } from './processes.ts'

/** What an RPC answered, or in which words it did not. */
export type RpcReply = { result: unknown } | { refusal: string }

/** How an RPC is asked. */
export interface RpcQuestion {
  /** How long for one answer, milliseconds; 10,000. */
  patienceMs?: number
  /** How often it is asked where it only asks for time; 1. */
  tries?: number
  /** Which refusals else are about when it was asked, rather than about what; none. */
  isPassing?: (refusal: string) => boolean
  signal: AbortSignal
}

/** One call of a chain's RPC. Never throws for what the RPC does; rejects when the signal aborts. */
export async function askRpc(
  url: string,
  method: string,
  params: unknown[],
  { patienceMs = 10_000, tries = 1, isPassing = () => false, signal }: RpcQuestion,
): Promise<RpcReply> {
  for (let tried = 1; ; tried++) {
    signal.throwIfAborted()
    const reply = await askOnce(url, method, params, patienceMs)
    if ('result' in reply || tried >= tries || !(isForTime(reply.refusal) || isPassing(reply.refusal))) return reply
    await pause((isForTime(reply.refusal) ? 500 : 250) * 2 ** tried, signal)
  }
}

/** Whether a provider wants to be asked less often. */
export function isForTime(refusal: string): boolean {
  return /\b429\b|\brate\b|rate.?limit|too many requests|request count|compute units|capacity|throttl/i.test(refusal)
}

/** How an RPC is asked when nothing runs yet, where one answer that failed would be the end of it. */
export function patiently(signal: AbortSignal): RpcQuestion {
  return { signal, tries: 4, isPassing: isOfTheMoment }
}

/** Whether it is that no answer came, rather than what it said; where nobody listens, none will. */
function isOfTheMoment(refusal: string): boolean {
  return refusal === NO_ANSWER || /\bHTTP 5\d\d\b|timeout|ECONNRESET|other side closed|terminated/i.test(refusal)
}

const NO_ANSWER = 'an answer that is no JSON-RPC'

/** Whether a provider does not answer for the key that was sent, or for none. */
export function isForKey(refusal: string): boolean {
  return /\bHTTP 40[1-3]\b|unauthori|authenticat|api.?key|forbidden/i.test(refusal)
}

async function askOnce(url: string, method: string, params: unknown[], patienceMs: number): Promise<RpcReply> {
  try {
    const endpoint = endpointOf(url)
    const response = await fetch(endpoint.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...endpoint.headers },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
      signal: AbortSignal.timeout(patienceMs),
    })
    const answer = answerIn(await response.text())
    if (answer !== undefined && 'result' in answer && answer.error === undefined) return { result: answer.result }
    const said = answer?.error?.message
    const status = response.ok ? '' : `HTTP ${response.status}`
    const unsaid = answer === undefined ? NO_ANSWER : 'no result'
    const words = typeof said === 'string' ? said : response.ok ? unsaid : ''
    return { refusal: tidy([status, words].filter(Boolean).join(': '), url) }
  } catch (error) {
    return { refusal: tidy(error instanceof Error ? reasonOf(error) : String(error), url) }
  }
}

function answerIn(text: string): { result?: unknown; error?: { message?: unknown } } | undefined {
  try {
    const answer: unknown = JSON.parse(text)
    return typeof answer === 'object' && answer !== null ? answer : undefined
  } catch {
    return undefined
  }
}

/** A provider's words as a part of a line: short, on one line, with no address of its own in them, nor what it was asked with. */
function tidy(text: string, url: string): string {
  const line = withoutSecrets(text.replace(/\bhttps?:\/\/[^\s,)"]+/g, hostOf), url)
  return line.length > 160 ? `${line.slice(0, 160)}…` : line
}

/** A number that an RPC tells in hex, or a block's; NaN for what is none. */
export function numberIn(told: unknown): number {
  return typeof told === 'string' && /^0x[\da-f]+$/i.test(told) ? Number(told) : Number.NaN
}

/** A number as an RPC takes it. */
export function hex(number: number): string {
  return `0x${number.toString(16)}`
}

/** Hash of a block that an RPC answered with; undefined where it did not. */
export function hashIn(reply: RpcReply): string | undefined {
  const { hash } = (('result' in reply && reply.result) || {}) as { hash?: unknown }
  return typeof hash === 'string' && /^0x[\da-f]{64}$/i.test(hash) ? hash.toLowerCase() : undefined
}

/** Why a request failed, with nothing of where it went: what fetch itself says is only that it did. */
function reasonOf(error: Error): string {
  const cause = error.cause instanceof Error ? error.cause : error
  return (cause.message || cause.name).replace(/\bhttps?:\/\/\S+/g, hostOf)
}
