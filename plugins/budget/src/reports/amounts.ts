import { usdOfPico } from '../money.ts'

const PICO_PER_MICRO = 1_000_000n

/** Exact USD as a decimal without exponent, of pico-USD of either sign. */
export function signedUsd(pico: bigint): string {
  return pico < 0n ? `-${usdOfPico(-pico)}` : usdOfPico(pico)
}

/** A whole number as databases give it: a number, a bigint, digits, or nothing for a sum over no rows. */
export function wholeOf(value: unknown): bigint {
  if (value === null || value === undefined) return 0n
  return BigInt(typeof value === 'string' ? (value.split('.')[0] as string) : (value as number | bigint))
}

/** Puts a sum back together that was added up as whole micro-USD and the rest, since a sum of pico-USD may leave 64 bits. */
export function picoOfHalves(micro: unknown, rest: unknown): bigint {
  return wholeOf(micro) * PICO_PER_MICRO + wholeOf(rest)
}
