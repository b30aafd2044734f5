import { randomUUID } from 'node:crypto'
import type { Budgets, Bus, Cache, ModelProvider, Router, SemanticCache, SetupContext, VectorIndex } from '@switchyard/contract'
import { SwitchyardError } from '@switchyard/contract'
import { type Encoder, hashedEncoder } from './encoder/encoder.ts'
import { gatewayEncoder } from './encoder/gateway-encoder.ts'
import { UNITS_PER_TOKEN } from './encoder/hashed-embedder.ts'
import type { WrongHit } from './events.ts'
import { type Judge, WORD_FOR_WORD } from './judge/judge.ts'
import { modelJudge } from './judge/model-judge.ts'
import { fleet } from './level/fleet.ts'
import { indexRoom } from './level/index-room.ts'
import { learning } from './level/learning.ts'
import { lru } from './level/lru.ts'
import { populations } from './level/populations.ts'
import { MOST_UNITS, semanticLevel } from './level/semantic-level.ts'
import type { CacheSemanticOptions } from './options.ts'
import { type OwnCalls, ownCalls } from './own-calls/own-calls.ts'
import { destinationOf, type Serving } from './own-calls/targets.ts'

/** What the plugin is given. */
export interface Dependencies {
  readonly vectors: VectorIndex | undefined
  readonly cache: Cache | undefined
  readonly bus: Bus | undefined
  readonly budgets?: Budgets | undefined
  readonly providers: ReadonlyMap<string, ModelProvider>
  readonly routers: ReadonlyMap<string, Router>
}

type Context = Omit<SetupContext<CacheSemanticOptions, Dependencies>, 'on' | 'signal'>

/** Groups in use: each refers to a question. */
const MOST_GROUPS = 10_000

/** The level over what the assembly has. Rejects `CONFIG_INVALID` where nobody serves a model that the options name. */
export async function assemble(ctx: Context): Promise<SemanticCache> {
  const { options, deps, clock, log, random, instance, emit, onClose } = ctx
  const closing = new AbortController()
  const calls = ownCalls({ clock, budgets: deps.budgets, maxBudgetShare: options.maxBudgetShare })
  const encoder = encoderOf(ctx, calls)
  const judge = judgeOf(ctx, calls)
  const wrong = (hit: Omit<WrongHit, 'plugin'>): void => emit('cache:wrong-hit', { plugin: instance, ...hit })
  const { now } = clock
  const known = populations({
    options: { ...options, judgeShare: 1, random, now },
    objects: lru(MOST_GROUPS, { most: MOST_UNITS, of: ({ founder }) => founder.text.length }),
    encoder: encoder.id,
    most: options.maxPopulations,
    cache: deps.cache,
    clock,
    log,
  })
  const { bus, vectors } = deps
  const node = `${instance}-${randomUUID()}`
  const others = bus && (await fleet({ bus, node, encoder: encoder.id, populations: known, log }))
  const limits = { clock, log, closing: closing.signal }
  const room = vectors && indexRoom({ vectors, timeoutMs: options.lookupTimeoutMs, ...limits })
  const indexed = room && { room, learning: learning({ room, judge, populations: known, fleet: others, wrong, ...limits }) }
  onClose(async () => {
    closing.abort(new SwitchyardError('CLOSED', 'the semantic cache closes', { retryable: false }))
    calls.close()
    await others?.close()
    await indexed?.learning.close()
    await known.close()
  })
  const { maxTokens, embedding } = options
  return semanticLevel({
    options: {
      ...options,
      maxUnits: maxTokens * UNITS_PER_TOKEN,
      embeddingTimeoutMs: embedding?.timeoutMs ?? options.lookupTimeoutMs,
    },
    indexed,
    encoder,
    judge,
    populations: known,
    clock,
    random,
    log,
    closing: closing.signal,
    wrong,
  })
}

function encoderOf({ options: { embedding, dimensions }, deps, clock, log }: Context, calls: OwnCalls): Encoder {
  if (embedding === undefined) return hashedEncoder(dimensions)
  const to = destinationOf('embedding.model', embedding.model, embedding.target, deps satisfies Serving)
  return gatewayEncoder({ to, dimensions: embedding.dimensions, timeoutMs: embedding.timeoutMs, calls, clock, log })
}

function judgeOf({ options: { judge }, deps, clock, log, random }: Context, calls: OwnCalls): Judge {
  if (judge === undefined) return WORD_FOR_WORD
  const to = destinationOf('judge.model', judge.model, judge.target, deps satisfies Serving)
  return modelJudge({ ...judge, to, calls, clock, log, random })
}
