import {
  type Call,
  definePlugin,
  deploymentOf,
  type ModelReply,
  type ModelRequest,
  type Plugin,
  type Policy,
  SwitchyardError,
  type Trace,
  type WellKnownAttributes,
} from '@switchyard/contract'
import type { Assembly } from '@switchyard/kernel'
import { z } from 'zod'

/** What became of one model call on its way through the pipeline: what its reply's headers tell. A class, since every call makes one. */
export class Passage {
  /** Undefined where the call was refused before the pipeline. */
  trace: Trace | undefined = undefined
  /** Which deployment answered, or failed last; undefined where none was reached. */
  deployment: string | undefined = undefined

  /** Attempts that were made, by the ledger of the resilience plugin where there is one. */
  get attempts(): number {
    return this.trace?.measures.get('attemptCount') ?? (this.deployment === undefined ? 0 : 1)
  }

  /** Several targets were tried, as many as there are or may be, and none served. */
  get exhausted(): boolean {
    const gaveUp = this.trace?.decisions.findLast(({ decision }) => decision === 'no-fallback')?.because?.reason
    return gaveUp === 'no-more-targets' || gaveUp === 'attempts-used-up'
  }
}

/** Own symbols are copied wherever a policy copies the request, so that every attempt of a call finds its passage. */
const PASSAGE = Symbol('passage')

interface Watched {
  [PASSAGE]?: Passage
}

/** By what was thrown, whose attempt it was: callers that share a call get its error without having reached anything. */
const FAILED = new WeakMap<SwitchyardError, Passage>()

/**
 * Whether no target was left to serve a call that failed: several were tried, and none served, or all were taken out, so that none was reached.
 * The same for whoever shared it.
 */
export function isExhausted(error: unknown, passage: Passage): boolean {
  if (passage.exhausted) return true
  if (passage.deployment !== undefined || !SwitchyardError.is(error)) return false
  return FAILED.get(error)?.exhausted ?? error.code === 'UPSTREAM_UNAVAILABLE'
}

/** Marks a request that was just made, so that its way is noted in `passage`. */
export function watched(request: ModelRequest, passage: Passage): ModelRequest {
  ;(request as Watched)[PASSAGE] = passage
  return request
}

/** Instance name of the gateway's own plugin. */
export const OWN_INSTANCE = 'gateway'

const first: Policy<'model.invoke'> = {
  name: 'gateway/call',
  stage: 'observe',
  operations: ['model.invoke'],
  around(call, next) {
    const passage = passageOf(call)
    if (passage !== undefined) passage.trace = call.trace
    return next(call)
  },
  explain: async () => ({ decisions: [] }),
}

const last: Policy<'model.invoke'> = {
  name: 'gateway/attempt',
  stage: 'transport',
  operations: ['model.invoke'],
  around(call, next) {
    const passage = passageOf(call)
    if (passage === undefined || isBeside(call)) return next(call)
    const deployment = deploymentOf(call)
    passage.deployment = deployment
    // Said again: a hedge may have been sent meanwhile.
    return next(call).then(
      (reply: ModelReply) => {
        passage.deployment = deployment
        return reply
      },
      (error: unknown) => {
        if (SwitchyardError.is(error)) FAILED.set(error, passage)
        throw error
      },
    )
  },
  explain: async () => ({ decisions: [] }),
}

const own = definePlugin({
  name: '@switchyard/gateway',
  contract: 1,
  options: z.strictObject({}),
  setup: () => ({ ports: {}, policies: [first, last] }),
})

/** The assembly with the gateway's own plugin behind all others, where its last policy is the innermost. */
export function withPassages({ plugins }: Assembly): Assembly {
  return { plugins: [...plugins, own({}, { as: OWN_INSTANCE }) as Plugin] }
}

/** Sent beside the caller's own, so that no reply of it goes to the caller: of a hit that is audited or fetched anew nobody was reached. */
function isBeside({ attributes }: Call<'model.invoke'>): boolean {
  const { purpose } = attributes as WellKnownAttributes
  return purpose !== undefined && purpose !== 'cascade'
}

function passageOf(call: Call<'model.invoke'>): Passage | undefined {
  return (call.request as Watched)[PASSAGE]
}
