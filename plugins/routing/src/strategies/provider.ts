import { unitHash } from '../hash.ts'
import { ascending, type Candidate, type Ranked, type Ranker } from './strategy.ts'

export interface ProviderOptions {
  /** Targets slower than this to the first content come after the others of their kind. */
  readonly maxFirstTokenMs?: number | undefined
}

/**
 * One model at several providers: a draw by price^-2 x health among the targets that are the same model at the same quantisation as
 * the first listed, those over the latency cap after them, and all others last, as listed. A sticky call draws by its key. Targets
 * without a price are drawn last of their kind.
 */
export function provider(baseOf: (candidate: Candidate) => string | undefined, { maxFirstTokenMs }: ProviderOptions): Ranker {
  const kindOf = (candidate: Candidate): string =>
    `${baseOf(candidate) ?? candidate.target.model}\n${candidate.target.quantisation ?? ''}`
  return (_call, candidates, { random, stickyKey }) => {
    const [first] = candidates
    if (first === undefined) return candidates
    const kind = kindOf(first)
    const rest: Ranked[] = []
    const slow: Ranked[] = []
    const drawn: Ranked[] = []
    for (const candidate of candidates) {
      if (kindOf(candidate) !== kind) rest.push({ ...candidate, because: 'another model or quantisation' })
      else if (maxFirstTokenMs !== undefined && (candidate.health?.firstTokenMs ?? 0) > maxFirstTokenMs)
        slow.push({ ...candidate, because: `slower than ${maxFirstTokenMs} ms` })
      else drawn.push(candidate)
    }
    const place = (candidate: Ranked): number => {
      const { expectedCost, health, target } = candidate
      if (expectedCost === undefined) return Number.POSITIVE_INFINITY
      const weight = (health?.weight ?? 1) / Math.max(1, expectedCost) ** 2
      if (weight === 0) return Number.MAX_VALUE
      const draw = stickyKey === undefined ? random() : unitHash(`${stickyKey}\n${target.deployment}\nprovider`)
      return -Math.log(1 - draw) / weight
    }
    return [...ascending(drawn, place), ...slow, ...rest]
  }
}
