import { baseModelKey, type Catalog, type Entry, price } from '@switchyard/catalog'
import type { Usage } from '@switchyard/contract'
import type { SpentAttempt, SpentCall } from './spent-calls.ts'

/** Where a saving comes from, and what it costs; pico-USD, negative where it was a loss. */
export interface Levers {
  /** Replies from our caches. */
  cache: bigint
  /** Cached tokens at the provider: what was had beyond what the baseline would have had, replayed on its own. */
  promptCache: bigint
  /** Another model. */
  routing: bigint
  /** Cheap attempts with a check before the dear one, those that were refused included. */
  cascade: bigint
  /** Batch, flex and priority. */
  tier: bigint
  /** The same model at another provider. */
  provider: bigint
  /** Shadows, judges, audits, embeddings and probes. */
  checks: bigint
  /** Attempts that brought no answer: retries, fallbacks, hedges. */
  retries: bigint
}

/** What was spent against what the baseline would have cost, as a model of it has it. */
export interface ModelledSaving {
  /** Pico-USD. */
  readonly baselinePico: bigint
  readonly actualPico: bigint
  readonly savedPico: bigint
  /** Part of the baseline's cost; undefined where that is nothing. */
  readonly share: number | undefined
  readonly levers: Readonly<Levers>
  /** What no lever explains: the baseline's answers are of another length. */
  readonly residualPico: bigint
  readonly calls: number
  /** Calls that are in no figure, since a price is not known. */
  readonly unmodelled: number
  /** Calls whose baseline was taken to answer at the same length, for want of 20 answers of either model. */
  readonly lengthsAssumed: number
  /** Pico-USD that the control arm cost: it is in both sums, so that it saves nothing. */
  readonly controlPico: bigint
}

const LEAST_ANSWERS = 20
/** How long providers keep a prompt, and the shortest one that they keep. */
const CACHE_TTL_MS = 300_000
const LEAST_CACHED = 1_024

interface Length {
  answers: number
  tokens: number
}

/** Models the savings of calls, by lever; the levers and the residual add up to the whole. */
export function modelledSaving(calls: readonly SpentCall[], catalog: Catalog): ModelledSaving {
  const lengths = lengthsOf(calls)
  const levers: Levers = {
    cache: 0n,
    promptCache: 0n,
    routing: 0n,
    cascade: 0n,
    tier: 0n,
    provider: 0n,
    checks: 0n,
    retries: 0n,
  }
  const sessions = new Map<string, { at: number; tokens: number }>()
  let baselinePico = 0n
  let actualPico = 0n
  let controlPico = 0n
  let unmodelled = 0
  let lengthsAssumed = 0
  for (const call of calls) {
    const answer = answerOf(call)
    const cached = answer === undefined ? undefined : replay(sessions, answer)
    const costs = sumOf(call)
    if (costs === undefined) {
      unmodelled += 1
      continue
    }
    if (answer === undefined) {
      // A reply from a cache. Where nobody knows what came, as of an attempt that never settled, the baseline is taken to cost the same.
      const saved = call.reduce((sum, { cacheSaved }) => sum + (cacheSaved ?? 0n), 0n)
      const unanswered = call.reduce((sum, { purpose, pico }) => (purpose === undefined ? sum + (pico ?? 0n) : sum), 0n)
      levers.cache += saved
      levers.retries += unanswered
      baselinePico += saved + unanswered
    } else {
      const against = baselineOf(answer, cached ?? 0, lengths, catalog)
      if (against === undefined) {
        unmodelled += 1
        continue
      }
      baselinePico += against.total
      levers.promptCache += against.promptCache
      levers.tier += against.tier
      const hasCascade = call.some(({ purpose }) => purpose === 'cascade')
      levers[hasCascade ? 'cascade' : against.isSameModel ? 'provider' : 'routing'] += against.model
      if (against.isLengthAssumed) lengthsAssumed += 1
      if (answer.isControl) controlPico += costs
    }
    actualPico += costs
    for (const attempt of call) if (attempt !== answer) levers[overheadOf(attempt)] -= attempt.pico ?? 0n
  }
  const savedPico = baselinePico - actualPico
  const explained = Object.values(levers).reduce((sum: bigint, lever: bigint) => sum + lever, 0n)
  return {
    baselinePico,
    actualPico,
    savedPico,
    share: baselinePico === 0n ? undefined : Number(savedPico) / Number(baselinePico),
    levers,
    residualPico: savedPico - explained,
    calls: calls.length,
    unmodelled,
    lengthsAssumed,
    controlPico,
  }
}

interface Against {
  /** What the baseline would have cost. */
  readonly total: bigint
  /** Parts of that less what was paid. */
  readonly model: bigint
  readonly tier: bigint
  readonly promptCache: bigint
  readonly isSameModel: boolean
  readonly isLengthAssumed: boolean
}

function baselineOf(
  answer: SpentAttempt,
  cachedTokens: number,
  lengths: ReadonlyMap<string, Length>,
  catalog: Catalog,
): Against | undefined {
  const { model, baseline = model, usage, pico, at, isControl, isStandardTier } = answer
  if (pico === undefined || usage === undefined) return undefined
  const own = entryOf(catalog, model)
  const standard = isStandardTier ? pico : costOf(own, usage, at)
  if (standard === undefined) return undefined
  const tier = standard - pico
  const same: Against = { total: standard, model: 0n, tier, promptCache: 0n, isSameModel: true, isLengthAssumed: false }
  if (isControl || baseline === model) return same
  const entry = entryOf(catalog, baseline)
  const priced = costOf(entry, usage, at)
  if (entry === undefined || priced === undefined) return undefined
  const replayed = replayedUsage(usage, cachedTokens, entry, answer.session !== undefined)
  const withCache = costOf(entry, replayed, at)
  const expected = expectedOutput(answer, baseline, lengths)
  const total = expected === undefined ? withCache : costOf(entry, { ...replayed, ...expected }, at)
  if (withCache === undefined || total === undefined) return undefined
  return {
    total,
    model: priced - standard,
    tier,
    promptCache: withCache - priced,
    isSameModel: baseModelKey(baseline.slice(baseline.indexOf('/') + 1)) === baseModelKey(model.slice(model.indexOf('/') + 1)),
    isLengthAssumed: expected === undefined,
  }
}

/** The answer's length as the baseline would have had it; undefined with too few answers to tell. */
function expectedOutput(
  { model, taskClass, usage }: SpentAttempt,
  baseline: string,
  lengths: ReadonlyMap<string, Length>,
): Pick<Usage, 'outputTokens' | 'reasoningTokens'> | undefined {
  const own = lengths.get(`${model}\n${taskClass}`)
  const other = lengths.get(`${baseline}\n${taskClass}`)
  if (own === undefined || other === undefined || own.answers < LEAST_ANSWERS || other.answers < LEAST_ANSWERS) return undefined
  if (own.tokens === 0 || usage === undefined) return undefined
  const factor = other.tokens / other.answers / (own.tokens / own.answers)
  return {
    outputTokens: Math.round(usage.outputTokens * factor),
    reasoningTokens: Math.round((usage.reasoningTokens ?? 0) * factor),
  }
}

/** The input as the baseline alone would have had it: the last turn of the session read from its cache, the rest written to it. */
function replayedUsage(usage: Usage, cachedTokens: number, entry: Entry, isSession: boolean): Usage {
  if (!isSession) return usage
  const { cacheReadTokens: _, cacheWriteTokens: __, cacheWrite1hTokens: ___, ...plain } = usage
  const perToken = entry.prices[0]?.perToken
  if (perToken?.cacheRead === undefined) return plain
  const read = Math.min(cachedTokens, usage.inputTokens)
  const fresh = usage.inputTokens - read - (usage.audioInputTokens ?? 0) - (usage.imageInputTokens ?? 0)
  const writes = perToken.cacheWrite5m === undefined || usage.inputTokens < LEAST_CACHED ? 0 : Math.max(0, fresh)
  return { ...plain, cacheReadTokens: read, cacheWriteTokens: writes }
}

/** Tokens that a provider would still keep of the session's last turn, and notes this one. */
function replay(sessions: Map<string, { at: number; tokens: number }>, { session, at, usage }: SpentAttempt): number {
  if (session === undefined || usage === undefined) return 0
  const last = sessions.get(session)
  sessions.set(session, { at, tokens: usage.inputTokens })
  if (last === undefined || at - last.at > CACHE_TTL_MS || last.tokens < LEAST_CACHED) return 0
  return Math.min(last.tokens, usage.inputTokens)
}

/** The attempt whose reply the client got: the last one that came whole, else the last that cost anything. */
function answerOf(call: SpentCall): SpentAttempt | undefined {
  const own = call.filter(
    ({ purpose, isCache, usage }) => !isCache && usage !== undefined && (purpose === undefined || purpose === 'cascade'),
  )
  return (
    own.findLast(({ isComplete, purpose }) => isComplete && purpose === undefined) ??
    own.findLast(({ isComplete }) => isComplete) ??
    own.at(-1)
  )
}

function overheadOf({ purpose }: SpentAttempt): 'cascade' | 'checks' | 'retries' {
  return purpose === undefined ? 'retries' : purpose === 'cascade' ? 'cascade' : 'checks'
}

function sumOf(call: SpentCall): bigint | undefined {
  let sum = 0n
  for (const { pico } of call) {
    if (pico === undefined) return undefined
    sum += pico
  }
  return sum
}

function lengthsOf(calls: readonly SpentCall[]): ReadonlyMap<string, Length> {
  const lengths = new Map<string, Length>()
  for (const call of calls) {
    for (const { model, taskClass, usage, isComplete, isCache } of call) {
      if (usage === undefined || !isComplete || isCache) continue
      const key = `${model}\n${taskClass}`
      const length = lengths.get(key) ?? { answers: 0, tokens: 0 }
      lengths.set(key, length)
      length.answers += 1
      length.tokens += usage.outputTokens
    }
  }
  return lengths
}

function entryOf(catalog: Catalog, model: string): Entry | undefined {
  return catalog.get(model) ?? catalog.lookup(model)
}

function costOf(entry: Entry | undefined, usage: Usage, at: number): bigint | undefined {
  const cost = entry === undefined ? null : price(entry, usage, { at })
  return cost === null || cost.unknown.length > 0 ? undefined : cost.pico
}
