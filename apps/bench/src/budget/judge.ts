/** What of a bill counts: when it ran, and what it came to. */
export interface Billed {
  /** Epoch ms. */
  readonly startedAt: number
  /** Epoch ms; undefined = it never ended, and counts as in flight to the last. */
  readonly endedAt: number | undefined
  /** Pico-USD that it would cost in full: what is expected of it while it runs. */
  readonly wholePico: bigint
  /** Pico-USD billed. */
  readonly pico: bigint
}

/** A run against its limit. Shares are of the limit, in percent. */
export interface Verdict {
  readonly calls: number
  readonly billedPercent: number
  /** Beyond the limit; 0 where it was kept. */
  readonly overshootPercent: number
  readonly refusals: number
  /** Truly spent when the first call was refused; undefined where none was. */
  readonly firstRefusalPercent: number | undefined
  /** Refusals while what was truly spent and what was in flight came to at most nine tenths of the limit. */
  readonly phantoms: number
}

const LOCKED_OUT = 0.9

/** Judges by what was billed alone: nothing that the budget itself says counts here. `refusedAt` in epoch ms. */
export function judge(bills: readonly Billed[], refusedAt: readonly number[], limitPico: bigint): Verdict {
  const moments = [
    ...bills.map(({ startedAt: at, wholePico }) => ({ at, spent: 0n, flight: wholePico, refused: false })),
    ...bills.flatMap(({ endedAt: at, wholePico, pico }) =>
      at === undefined ? [] : [{ at, spent: pico, flight: -wholePico, refused: false }],
    ),
    ...refusedAt.map((at) => ({ at, spent: 0n, flight: 0n, refused: true })),
  ].sort((one, other) => one.at - other.at || Number(one.refused) - Number(other.refused))
  let [spent, flight] = [0n, 0n]
  let first: bigint | undefined
  let phantoms = 0
  for (const moment of moments) {
    spent += moment.spent
    flight += moment.flight
    if (!moment.refused) continue
    first ??= spent
    if (share(spent + flight, limitPico) <= LOCKED_OUT) phantoms += 1
  }
  return {
    calls: bills.length,
    billedPercent: 100 * share(spent, limitPico),
    overshootPercent: spent > limitPico ? 100 * share(spent - limitPico, limitPico) : 0,
    refusals: refusedAt.length,
    firstRefusalPercent: first === undefined ? undefined : 100 * share(first, limitPico),
    phantoms,
  }
}

function share(part: bigint, whole: bigint): number {
  return Number(part) / Number(whole)
}
