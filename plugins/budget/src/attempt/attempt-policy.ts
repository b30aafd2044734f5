import type {
  Call,
  Clock,
  Explained,
  Logger,
  ModelEnding,
  ModelReply,
  Next,
  Policy,
  WellKnownAttributes,
} from '@switchyard/contract'
import { metadataOf } from '@switchyard/model-wire'
import type { Admission } from '../limits/admission.ts'
import type { BudgetBook } from '../limits/budget-book.ts'
import { type Claim, remainingOf } from '../limits/claim.ts'
import { unending, unpriced } from '../limits/refusal.ts'
import { addRollover } from '../limits/rollover.ts'
import type { Spent } from '../limits/spent.ts'
import { nanoOfPico, usdOfNano } from '../money.ts'
import type { Accounts } from './account.ts'
import { Attempt } from './attempt.ts'
import type { Books } from './books.ts'
import { type ForecastOptions, forecast } from './hold.ts'
import { describe } from './opening.ts'
import type { Subject, Subjects } from './subject.ts'
import { tagsJson } from './tags.ts'
import { tierOf } from './tier.ts'

export interface AttemptContext {
  readonly name: string
  readonly plugin: string
  readonly clock: Pick<Clock, 'now'>
  readonly log: Logger
  readonly book: BudgetBook
  readonly subjects: Subjects
  readonly accounts: Accounts
  readonly admission: Admission
  readonly books: Books
  readonly spent: Spent
  readonly nextId: (atMs: number) => string
  readonly forecast: ForecastOptions
  /** Nano-USD to hold where there is no price; undefined = hard budgets refuse. */
  readonly unknownNano: bigint | undefined
}

/** What is booked where a plugin breaks its word and rejects the end of its reply. */
const NO_ENDING: ModelEnding = Object.freeze({
  outcome: 'error',
  usage: Object.freeze({ inputTokens: 0, outputTokens: 0 }),
  usageSource: 'none',
})

type ModelCall = Call<'model.invoke'>

/**
 * One pass an upstream attempt: holds the most it may cost at every budget, writes its beginning down, sends it, and books it when its
 * reply has ended, in whatever way. A call that falls under no budget holds nothing and asks no counter.
 */
export function attemptPolicy(context: AttemptContext): Policy<'model.invoke'> {
  const { name, clock, book, subjects, accounts, books, nextId } = context

  function begin(call: ModelCall): { readonly attempt: Attempt; readonly tags: string | null } {
    const now = clock.now()
    const { request, attributes } = call
    const subject = subjects.of(call, now)
    const metadata = metadataOf(request)
    const { session, baseline } = attributes as WellKnownAttributes
    let { claims } = subject.standing
    if (book.asksCalls) {
      const own = book.perCall(subject.principal.tenant, metadata, session, now)
      if (own.length > 0) claims = [...claims, ...own]
    }
    const attempt = new Attempt(nextId(now), now, subject, tierOf(request.body), claims, baseline)
    attempt.bytes = request.raw?.byteLength ?? 0
    attempt.signal = call.signal
    return { attempt, tags: tagsJson(metadata, book.tagNames) }
  }

  async function hold(attempt: Attempt, call: ModelCall, tags: string | null): Promise<void> {
    const { admission, spent, log, plugin, unknownNano } = context
    const { entry, tier, at, claims, subject } = attempt
    const { inputTokens, hold: pico, expected } = forecast(entry, call.request, tier, at, subject.lengths, context.forecast)
    attempt.inputTokens = inputTokens
    if (pico === undefined && unknownNano === undefined) {
      const hard = claims.find(({ budget }) => budget.hard)
      if (hard !== undefined) throw unpriced(hard, subject.model, plugin)
    }
    if (call.request.body.background === true && call.request.endpoint === 'responses') {
      const hard = claims.find(({ budget }) => budget.hard)
      if (hard !== undefined) throw unending(hard, plugin)
    }
    attempt.held = pico === undefined ? (unknownNano ?? 0n) : nanoOfPico(pico)
    describe(attempt, call, tags, expected)
    // What is known to cost nothing needs no room.
    if (pico === 0n) return
    for (const claim of claims) if (claim.rollover === 'wanted') await addRollover(claim, spent, log)
    await admission.admit(attempt, call, expected === undefined ? attempt.held : nanoOfPico(expected))
  }

  async function around(call: ModelCall, next: Next<'model.invoke'>): Promise<ModelReply> {
    const { attempt, tags } = begin(call)
    const account = accounts.of(call.trace)
    if (account !== undefined) account.claims = attempt.claims
    if (attempt.claims.length > 0) await hold(attempt, call, tags)
    else describe(attempt, call, tags, undefined)
    try {
      if (call.signal.aborted) throw call.signal.reason
      const written = books.begin(attempt)
      if (written !== undefined) await written
    } catch (error) {
      books.abandon(attempt)
      throw error
    }
    if (account !== undefined) account.attempts += 1
    try {
      const reply = await next(call)
      // A promise that is settled already has its listener run before whoever waits for this reply.
      void reply.ended.then(
        (ending) => books.ended(attempt, ending, account),
        () => books.ended(attempt, NO_ENDING, account),
      )
      return reply
    } catch (error) {
      books.failed(attempt, error, account)
      throw error
    }
  }

  return {
    name,
    stage: 'transport',
    operations: ['model.invoke'],
    around,
    async explain(call): Promise<Explained<'model.invoke'>> {
      const now = clock.now()
      const subject: Subject = subjects.of(call, now)
      const { session } = call.attributes as WellKnownAttributes
      const own = book.perCall(subject.principal.tenant, metadataOf(call.request), session, now)
      const claims = [...subject.standing.claims, ...own]
      if (claims.length === 0) return { decisions: [{ decision: 'recorded' }] }
      const { entry, lengths } = subject
      const { hold: pico } = forecast(entry, call.request, tierOf(call.request.body), now, lengths, context.forecast)
      const held = pico === undefined ? context.unknownNano : nanoOfPico(pico)
      const short = claims.find((claim) => claim.budget.hard && (held === undefined || held > remainingOf(claim)))
      const because = { holdUsd: held === undefined ? null : usdOfNano(held), budgets: claims.map(claimFacts) }
      return { decisions: [{ decision: short === undefined ? 'would-hold' : 'would-refuse', because }] }
    },
  }
}

function claimFacts(claim: Claim): Readonly<Record<string, unknown>> {
  const { budget, value, window, limit } = claim
  return {
    budget: budget.name,
    value,
    window: window.id,
    limitUsd: usdOfNano(limit),
    remainingUsd: usdOfNano(remainingOf(claim)),
    hard: budget.hard,
  }
}
