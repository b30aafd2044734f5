const NANO_DIGITS = 9
const PICO_PER_NANO = 1_000n
const PICO_PER_MICRO = 1_000_000n
const ZERO = 48
const DECIMAL = /^(\d{1,12})(?:\.(\d{1,9}))?$/

/**
 * Nano-USD of an amount in USD: a decimal such as `"12.50"`, or a number whose shortest decimal is meant; at most nine decimals.
 * Undefined for anything else, negative amounts included.
 */
export function nanoUsd(usd: string | number): bigint | undefined {
  const match = DECIMAL.exec(String(usd))
  if (match === null) return undefined
  return BigInt(match[1] as string) * 1_000_000_000n + BigInt((match[2] ?? '').padEnd(NANO_DIGITS, '0'))
}

/** Whole nano-USD of pico-USD, rounded up: once an attempt, or small ones would be free for ever. */
export function nanoOfPico(pico: bigint): bigint {
  const number = Number(pico)
  // Numbers are exact so far, and cost the collector nothing.
  if (number >= 0 && Number.isSafeInteger(number)) {
    const rest = number % 1_000
    return BigInt((number - rest) / 1_000 + (rest > 0 ? 1 : 0))
  }
  return (pico + PICO_PER_NANO - 1n) / PICO_PER_NANO
}

/** Whole micro-USD of pico-USD, halves to the even one, so that rounding does not drift over many rows. */
export function microOfPico(pico: bigint): bigint {
  const number = Number(pico)
  return Number.isSafeInteger(number) ? BigInt(microOfNumber(number)) : microOfBigint(pico)
}

function microOfNumber(pico: number): number {
  const rest = pico % 1_000_000
  const whole = (pico - rest) / 1_000_000
  const twice = Math.abs(rest) * 2
  if (twice > 1_000_000 || (twice === 1_000_000 && whole % 2 !== 0)) return whole + (pico < 0 ? -1 : 1)
  return whole
}

function microOfBigint(pico: bigint): bigint {
  const whole = pico / PICO_PER_MICRO
  const rest = pico % PICO_PER_MICRO
  const twice = (rest < 0n ? -rest : rest) * 2n
  const step = pico < 0n ? -1n : 1n
  if (twice > PICO_PER_MICRO || (twice === PICO_PER_MICRO && whole % 2n !== 0n)) return whole + step
  return whole
}

/** USD as a decimal without exponent, of nano-USD from 0: `0.05`, `12`. */
export function usdOfNano(nano: bigint): string {
  return decimal(nano, NANO_DIGITS)
}

/** USD as a decimal without exponent, of pico-USD from 0. */
export function usdOfPico(pico: bigint): string {
  return decimal(pico, 12)
}

/** Beyond it a column of 64 bits would refuse the row, and its cost would be in no ledger. */
const MOST_STORED = 10n ** 18n

/**
 * A whole number for a row: a number where that is exact, else its digits, which both dialects read as an integer. At most 10^18, since
 * clients may ask for any number of tokens.
 */
export function storable(given: bigint): number | string {
  const value = given > MOST_STORED ? MOST_STORED : given < -MOST_STORED ? -MOST_STORED : given
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value.toString()
}

function decimal(value: bigint, digits: number): string {
  const text = value.toString().padStart(digits + 1, '0')
  const point = text.length - digits
  let end = text.length
  while (end > point && text.charCodeAt(end - 1) === ZERO) end -= 1
  return end === point ? text.slice(0, point) : `${text.slice(0, point)}.${text.slice(point, end)}`
}
