import type { Clock, Logger } from '@switchyard/contract'
import { breaker } from '../own-calls/breaker.ts'
import { isOfTheCaller, type Occasion, type OwnCalls } from '../own-calls/own-calls.ts'
import type { Destination } from '../own-calls/targets.ts'
import { tokenBucket } from '../own-calls/token-bucket.ts'
import { settled } from '../policy/judgement.ts'
import { type Judge, sameWords } from './judge.ts'
import { KNOWN_PAIRS } from './known-pairs.ts'
import { type AnswerPair, messagesOf, verdictIn } from './prompt.ts'

export interface ModelJudgeParts {
  readonly to: Destination
  readonly timeoutMs: number
  readonly maxPerMinute: number
  readonly maxChars: number
  /** Of misses, in (0, 1]. */
  readonly share: number
  readonly confirmNo: boolean
  /** Members of the request's body in the place of ours; null leaves one out. */
  readonly parameters: Readonly<Record<string, unknown>>
  readonly calls: OwnCalls
  readonly clock: Pick<Clock, 'monotonic'>
  readonly log: Pick<Logger, 'warn'>
  /** Uniform in [0, 1). */
  readonly random: () => number
}

const OPEN_MS = 60_000
/** A judge that passed is tried again after so long, one that failed too. */
const TRUST_MS = 3_600_000
const DOUBT_MS = 600_000
/** A no is said twice. */
const CALLS_A_LABEL = 2
/** Kept of the calls a minute for the labels of audits. */
const RESERVE = 0.2

/**
 * A model as a judge. Its words count once it is right about pairs whose truth is known, asked anew each hour: one that says yes to all
 * would void the bound unseen. While it has no calls left, fails time and again or is not trusted, there is no label at all, not even where
 * the answers are equal: labels for what is plainly right alone would make errors seem rare.
 */
export function modelJudge(parts: ModelJudgeParts): Judge {
  const { to, timeoutMs, maxPerMinute, maxChars, share, confirmNo, calls, clock, log, random } = parts
  const bucket = tokenBucket(clock, maxPerMinute, 60_000)
  const guard = breaker(clock, OPEN_MS)
  const given = Object.entries({ temperature: 0, max_tokens: 16, ...parts.parameters })
  const parameters = Object.fromEntries(given.filter(([, value]) => value !== null))
  let trial: Promise<boolean> | undefined
  let isTrusted = true
  let trialUntil = Number.NEGATIVE_INFINITY

  const ask = async (pair: AnswerPair, occasion: Occasion, again: boolean): Promise<Said> => {
    if (!bucket.take()) return 'silent'
    try {
      const reply = await calls.ask(occasion, {
        purpose: 'judge',
        endpoint: 'chat/completions',
        to,
        body: { messages: messagesOf(pair, again, maxChars), ...parameters },
        timeoutMs,
      })
      const said = verdictIn(reply)
      guard.note(said !== undefined)
      return said ?? 'silent'
    } catch (error) {
      if (isOfTheCaller(error)) return 'refused'
      guard.note(false)
      return 'silent'
    }
  }

  const passes = async (occasion: Occasion): Promise<boolean> => {
    for (const [at, { pair, truth }] of KNOWN_PAIRS.entries()) {
      const said = await ask(pair, occasion, at % 2 === 1)
      if (said === truth) continue
      if (said === 'refused') {
        // Whoever comes next may have the means.
        trial = undefined
        return false
      }
      isTrusted = false
      trialUntil = clock.monotonic() + (said === 'silent' ? OPEN_MS : DOUBT_MS)
      const wrong = said === 'silent' ? 'gave no plain yes or no' : 'was wrong about a pair whose truth is known'
      log.warn({ model: to.model, pair: pair.asked }, `the judge ${wrong}: its words do not count for now`)
      return false
    }
    isTrusted = true
    return true
  }

  const trusted = (occasion: Occasion): Promise<boolean> => {
    if (trial === undefined || clock.monotonic() >= trialUntil) {
      trialUntil = clock.monotonic() + TRUST_MS
      trial = passes(occasion)
    }
    return trial
  }

  const hasCalls = (): boolean => bucket.filled() * maxPerMinute >= CALLS_A_LABEL
  const ready = (): boolean => guard.mayAdmit() && hasCalls() && (isTrusted || clock.monotonic() >= trialUntil)

  return {
    ready,
    share: () => (ready() ? share * Math.max(0, Math.min(1, (bucket.filled() - RESERVE) / (0.5 - RESERVE))) : 0),
    async says(pair, occasion) {
      if (!guard.admits() || !(await trusted(occasion)) || !hasCalls()) return undefined
      // As often as other pairs come to no label by its failing, these come to none either.
      if (sameWords(pair)) return random() < guard.failing() ? undefined : true
      const first = await ask(pair, occasion, false)
      if (typeof first !== 'boolean') return undefined
      if (first || !confirmNo) return first
      const second = await ask(pair, occasion, true)
      // A no that could not be confirmed stands: in doubt, wrong.
      return settled(first, second === true)
    },
  }
}

type Said = boolean | 'silent' | 'refused'
