/** Amounts and parts of them as people read them: truncated, never rounded up, and never by way of a float. */

const WEI_DIGITS = 18

/** What `Intl` takes without loss. */
type Decimal = Intl.StringNumericLiteral

/** How an amount can be written: `digits` after the point, or all that there are. */
export type Digits = number | 'ALL'

/** Wei as a decimal of the token, all digits kept: '95356.173859355111851325'. */
export function decimal(wei: bigint): string {
  const sign = wei < 0n ? '-' : ''
  const text = String(wei < 0n ? -wei : wei).padStart(WEI_DIGITS + 1, '0')
  return `${sign}${text.slice(0, -WEI_DIGITS)}.${text.slice(-WEI_DIGITS)}`
}

const formats = new Map<Digits | 'COMPACT', Intl.NumberFormat>()

function formatOf(digits: Digits | 'COMPACT'): Intl.NumberFormat {
  let format = formats.get(digits)
  if (format === undefined) {
    const some = digits === 'ALL' ? WEI_DIGITS : digits === 'COMPACT' ? 1 : digits
    format = new Intl.NumberFormat('en', {
      roundingMode: 'trunc',
      minimumFractionDigits: digits === 'COMPACT' ? 0 : some,
      maximumFractionDigits: some,
      notation: digits === 'COMPACT' ? 'compact' : 'standard',
    })
    formats.set(digits, format)
  }
  return format
}

/** Wei of a token with 18 digits for people, cut off after so many of them: '95,356.17'. */
export function amountText(wei: bigint, digits: Digits = 2): string {
  return formatOf(digits).format(decimal(wei) as Decimal)
}

/** The same with two digits, or with all of them where two would be none: what is short of something is never nothing. */
export function tellingAmount(wei: bigint): string {
  const isTiny = wei !== 0n && (wei < 0n ? -wei : wei) < 10n ** BigInt(WEI_DIGITS - 2)
  return amountText(wei, isTiny ? 'ALL' : 2)
}

/** As short as an axis needs it: '95.3K'. */
export function shortAmount(wei: bigint): string {
  return formatOf('COMPACT').format(decimal(wei) as Decimal)
}

/** A count of anything: '1,234'. */
export function countText(count: number | bigint): string {
  return count.toLocaleString('en')
}

/** `part` of `whole` in percent, cut off after so many digits; '–' of nothing, which nothing is a part of. */
export function percentText(part: bigint, whole: bigint, digits = 2): string {
  if (whole === 0n) return '–'
  const scale = 10n ** BigInt(digits)
  return scaledText((part * 100n * scale) / whole, digits, '%')
}

/** An integer of units of 10^-digits, with its point put in. */
function scaledText(scaled: bigint, digits: number, unit: string): string {
  const sign = scaled < 0n ? '-' : ''
  const text = String(scaled < 0n ? -scaled : scaled).padStart(digits + 1, '0')
  const whole = BigInt(text.slice(0, text.length - digits)).toLocaleString('en')
  return `${sign}${whole}${digits === 0 ? '' : `.${text.slice(-digits)}`} ${unit}`
}

/**
 * Where a part lies between nothing and the whole, 0 to 1 and no more, for drawing only: a float of six digits made of
 * integers, whose figure stands beside what is drawn.
 */
export function shareOf(part: bigint, whole: bigint): number {
  if (whole <= 0n || part <= 0n) return 0
  const millionths = (part * 1_000_000n) / whole
  return Number(millionths > 1_000_000n ? 1_000_000n : millionths) / 1_000_000
}

/** The sum; 0 of nothing. */
export function sumOf(amounts: Iterable<bigint>): bigint {
  let sum = 0n
  for (const amount of amounts) sum += amount
  return sum
}

/** For sorting: less, equal or more. */
export function compareAmounts(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0
}
