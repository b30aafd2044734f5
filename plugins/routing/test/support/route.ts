import type { CatalogSource } from '@switchyard/catalog'
import type { Call, Health, ModelProvider, ModelReply, Next, Policy } from '@switchyard/contract'
import { startPlugin } from '@switchyard/testkit'
import { type RoutingInput, routing } from '../../src/index.ts'

export interface Parts {
  readonly options: RoutingInput
  readonly providers: ReadonlyMap<string, ModelProvider>
  readonly health?: Health
  readonly catalog?: CatalogSource
  /** Numbers that the plugin draws, in turn; the last one stays. */
  readonly draws?: readonly number[]
}

export interface Router {
  readonly policy: Policy<'model.invoke'>
  /** Where a call would go, best first: `instance/provider/model`. */
  order(call: Call<'model.invoke'>): Promise<readonly string[]>
  /** What the policy hands on. */
  routed(call: Call<'model.invoke'>): Promise<Call<'model.invoke'>>
}

/** The plugin at work, alone. */
export async function router({ options, providers, health, catalog, draws = [0.5] }: Parts): Promise<Router> {
  let drawn = 0
  const plugin = await startPlugin(routing(options), {
    deps: { providers, health, catalog },
    random: () => draws[Math.min(drawn++, draws.length - 1)] as number,
  })
  const policy = plugin.policies[0] as unknown as Policy<'model.invoke'>
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
    routed,
    async order(call) {
      const given = await routed(call)
      return [given, ...(given.alternatives ?? [])].map(({ attributes }) => String(attributes.deployment))
    },
  }
}
