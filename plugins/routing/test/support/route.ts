import type { CatalogSource } from '@switchyard/catalog'
import type {
  Budgets,
  Call,
  Clock,
  Health,
  ModelProvider,
  ModelReply,
  Next,
  Policy,
  SqlDatabase,
  Strategy,
} from '@switchyard/contract'
import { type RecordingLogger, recordingLogger, type StartedPlugin, startPlugin } from '@switchyard/testkit'
import { type RoutingInput, routing } from '../../src/index.ts'
import { call, request } from './world.ts'

export interface Parts {
  readonly options: RoutingInput
  readonly providers: ReadonlyMap<string, ModelProvider>
  readonly health?: Health
  readonly catalog?: CatalogSource
  readonly strategies?: ReadonlyMap<string, Strategy>
  readonly budgets?: Budgets
  readonly sql?: SqlDatabase
  readonly clock?: Clock
  /** Numbers that the plugin draws, in turn; the last one stays. */
  readonly draws?: readonly number[]
}

export interface Router {
  readonly policy: Policy<'model.invoke'>
  readonly plugin: StartedPlugin
  readonly log: RecordingLogger
  /** A call through both policies of the plugin, answered by `next`. */
  through(call: Call<'model.invoke'>, next: Next<'model.invoke'>): Promise<ModelReply>
  /** Has a model answer on a route with so many tokens, for what is learnt of it. */
  answered(instance: string, model: string, route: string, outputTokens: number): Promise<void>
  /** Where a call would go, best first: `instance/provider/model`. */
  order(call: Call<'model.invoke'>): Promise<readonly string[]>
  /** What the policy hands on. */
  routed(call: Call<'model.invoke'>): Promise<Call<'model.invoke'>>
}

/** The plugin at work, alone. */
export async function router({ options, draws = [0.5], clock, ...deps }: Parts): Promise<Router> {
  const log = recordingLogger()
  let drawn = 0
  const plugin = await startPlugin(routing(options), {
    deps,
    log,
    ...(clock !== undefined && { clock }),
    random: () => draws[Math.min(drawn++, draws.length - 1)] as number,
  })
  const [policy, learn] = plugin.policies as unknown as readonly [Policy<'model.invoke'>, Policy<'model.invoke'>?]
  const through = (call: Call<'model.invoke'>, next: Next<'model.invoke'>): Promise<ModelReply> =>
    policy.around(call, learn === undefined ? next : (routed) => learn.around(routed, next))
  const routed = async (call: Call<'model.invoke'>): Promise<Call<'model.invoke'>> => {
    let seen: Call<'model.invoke'> | undefined
    const next: Next<'model.invoke'> = async (given) => {
      seen = given
      return {} as ModelReply
    }
    await policy.around(call, next)
    return seen as Call<'model.invoke'>
  }
  return {
    policy,
    plugin,
    log,
    routed,
    through,
    async answered(instance, model, route, outputTokens) {
      const asked = call(instance, request(model))
      const attributes = { route, deployment: `${instance}/${model}` }
      await learn?.around({ ...asked, attributes }, async () => wholeReply('{}', { outputTokens }))
      await new Promise(setImmediate)
    },
    async order(call) {
      const given = await routed(call)
      return [given, ...(given.alternatives ?? [])].map(({ attributes }) => String(attributes.deployment))
    },
  }
}

/** A reply that is there at once. */
export function wholeReply(
  body: string | object,
  {
    inputTokens = 10,
    outputTokens = 5,
    finishReason = 'stop',
  }: Partial<Record<'inputTokens' | 'outputTokens', number>> & {
    readonly finishReason?: string
  } = {},
): ModelReply {
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
    ended: Promise.resolve({
      outcome: 'complete',
      usage: { inputTokens, outputTokens },
      usageSource: 'reported',
      finishReason,
    }),
  }
}
