import { GraphQLScalarType, Kind, type ValueNode } from 'graphql'
import { ApiError } from '../facts/errors.ts'
import { integer } from '../rules/integer.ts'

function textScalar(name: string, parse: (text: string) => string | bigint): GraphQLScalarType {
  const parseText = (text: string) => {
    try {
      return parse(text)
    } catch (error) {
      throw new ApiError('BAD_USER_INPUT', (error as Error).message)
    }
  }
  return new GraphQLScalarType({
    name,
    serialize: (value) => String(value),
    parseValue: (value) => parseText(typeof value === 'string' || typeof value === 'number' ? String(value) : ''),
    parseLiteral: (node: ValueNode) =>
      parseText(node.kind === Kind.STRING || (name === 'BigInt' && node.kind === Kind.INT) ? node.value : ''),
  })
}

function address(text: string): string {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) {
    throw new TypeError(`${JSON.stringify(text)} is not an address; one is 0x and 40 hex digits`)
  }
  return text.toLowerCase()
}

function hex(text: string): string {
  if (!/^0x([0-9a-fA-F]{2})*$/.test(text)) throw new TypeError(`${JSON.stringify(text)} is not 0x-prefixed bytes`)
  return text.toLowerCase()
}

/** A time without a zone is UTC, as all of them are; Date.parse would take it for the server's own. */
function dateTime(text: string): string {
  const [, day = '', clock, zone = 'Z'] =
    /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:\d\d)?)?$/.exec(text) ?? []
  // Date.parse takes February 30 for March 2.
  const isDay = isoDay(day) === day
  const time = isDay ? Date.parse(clock === undefined ? day : `${day}T${clock}${zone}`) : Number.NaN
  const iso = Number.isNaN(time) ? '' : new Date(time).toISOString()
  // A zone can lead out of the years of four digits, which alone compare as texts.
  if (!/^\d{4}-/.test(iso)) throw new TypeError(`${JSON.stringify(text)} is not a time; one is 2024-01-31T12:00:00Z`)
  return iso
}

/** The day again, or the one Date.parse takes it for; null where it is none at all. */
function isoDay(day: string): string | null {
  const time = Date.parse(day)
  return Number.isNaN(time) ? null : new Date(time).toISOString().slice(0, 10)
}

/** The scalars of schema.graphql; amounts are bigint inside and decimal strings on the wire. */
export const scalars = {
  BigInt: textScalar('BigInt', integer),
  Address: textScalar('Address', address),
  Hex: textScalar('Hex', hex),
  DateTime: textScalar('DateTime', dateTime),
}
