import { SwitchyardError } from '@switchyard/contract'
import { type Condition, type RouteInput, type RouteOptions, routeOptions, type TargetOptions } from './options.ts'

/** A node of a Portkey config, as its header carries it: keys in snake_case. */
export type PortkeyNode = Readonly<Record<string, unknown>>

export interface PortkeyConfigOptions {
  /**
   * What a target needs beside its provider and model, such as `{ virtual_key: 'vk-…' }` or `{ api_key: '…' }`. Default: nothing, for
   * hosted Portkey whose providers are named by `@slug`.
   */
  readonly credentials?: (target: TargetOptions) => PortkeyNode
  /** Retries by Portkey at each target. Default: none. */
  readonly retry?: { readonly attempts: number; readonly onStatusCodes?: readonly number[] }
  /** Order of the targets for the strategy `price`, cheapest first, by model; taken once: Portkey knows no prices. */
  readonly cheapestFirst?: readonly string[]
}

const KNOWN: ReadonlySet<string> = new Set(['priority', 'weighted', 'price'])

/** Each condition doubles the branches of a config. */
const MAX_CONDITIONS = 4

/**
 * A route of the table as a Portkey config, so that hosted Portkey may decide instead of Switchyard. `priority` and `price` become
 * `fallback`; `weighted` becomes `loadbalance` over fallbacks, since Portkey's own never fails over; a canary likewise; conditions on
 * metadata and streaming become `conditional`.
 * @throws SwitchyardError `UNSUPPORTED` for what Portkey cannot decide: `least-busy`, `latency`, sticky routes, other conditions;
 * `CONFIG_INVALID` for a route that is none.
 */
export function portkeyConfig(input: RouteInput, options: PortkeyConfigOptions = {}): PortkeyNode {
  const parsed = routeOptions.safeParse(input)
  if (!parsed.success) throw new SwitchyardError('CONFIG_INVALID', `no route: ${parsed.error.issues.map(describe).join('; ')}`)
  const route = parsed.data
  if (route.strategy === 'least-busy' || route.strategy === 'latency') {
    throw unsupported(`the strategy ${route.strategy}: Portkey does not know how busy or how fast a target is`)
  }
  if (!KNOWN.has(route.strategy)) throw unsupported(`the strategy ${route.strategy}: Portkey has nothing like it`)
  if (route.session !== undefined) throw unsupported('session: the open gateway knows no sessions')
  if (route.stickyBy !== undefined) throw unsupported(`stickyBy: the open gateway's load balancing is not sticky`)
  const conditions = distinct(route.targets)
  if (conditions.length === 0) return balanced(route, route.targets, options)
  if (conditions.length > MAX_CONDITIONS) throw unsupported(`more than ${MAX_CONDITIONS} different conditions in one route`)
  return conditional(route, conditions, options)
}

function conditional(route: RouteOptions, conditions: readonly Condition[], options: PortkeyConfigOptions): PortkeyNode {
  const branches: { readonly name: string; readonly held: readonly Condition[]; readonly node: PortkeyNode }[] = []
  for (let mask = 2 ** conditions.length - 1; mask >= 0; mask--) {
    const held = conditions.filter((_, bit) => (mask & (1 << bit)) !== 0)
    const targets = route.targets.filter(({ when }) => when === undefined || held.some((one) => same(one, when)))
    if (targets.length > 0) branches.push({ name: `when-${mask}`, held, node: balanced(route, targets, options) })
  }
  // The first match decides, so the branch with the most conditions has to come first.
  branches.sort((a, b) => b.held.length - a.held.length)
  const last = branches.at(-1)
  const rest = branches.filter(({ held }) => held.length > 0)
  return {
    strategy: {
      mode: 'conditional',
      // biome-ignore lint/suspicious/noThenProperty: Portkey's own name
      conditions: rest.map(({ name, held }) => ({ query: { $and: held.flatMap(queries) }, then: name })),
      ...(last?.held.length === 0 && { default: last.name }),
    },
    targets: branches.map(({ name, node }) => ({ ...node, name })),
  }
}

function balanced(route: RouteOptions, targets: readonly TargetOptions[], options: PortkeyConfigOptions): PortkeyNode {
  const canaries = targets.filter(({ canaryPercent }) => canaryPercent !== undefined)
  const usual = targets.filter(({ canaryPercent }) => canaryPercent === undefined)
  if (canaries.length === 0) return ordered(route, usual, options)
  const share = canaries.reduce((sum, { canaryPercent }) => sum + (canaryPercent ?? 0), 0)
  const branches = canaries.map((canary) => ({
    ...fallback(
      [node(canary, options)],
      [ordered(route, usual, options)],
      nodes(
        canaries.filter((one) => one !== canary),
        options,
      ),
    ),
    weight: canary.canaryPercent,
  }))
  const without = { ...fallback([ordered(route, usual, options)], nodes(canaries, options)), weight: Math.max(0, 100 - share) }
  return { strategy: { mode: 'loadbalance' }, targets: [...branches, without] }
}

function ordered(route: RouteOptions, targets: readonly TargetOptions[], options: PortkeyConfigOptions): PortkeyNode {
  if (route.strategy === 'weighted' && targets.length > 1) {
    const branches = targets
      .filter(({ weight }) => weight > 0)
      .map((first) => ({
        ...fallback([node(first, options)], nodes(byWeight(targets.filter((one) => one !== first)), options)),
        weight: first.weight,
      }))
    if (branches.length > 0) return { strategy: { mode: 'loadbalance' }, targets: branches }
  }
  return fallback(nodes(route.strategy === 'price' ? byPrice(targets, options) : targets, options))
}

function fallback(...lists: readonly (readonly PortkeyNode[])[]): PortkeyNode {
  const targets = lists.flat()
  return targets.length === 1 ? (targets[0] as PortkeyNode) : { strategy: { mode: 'fallback' }, targets }
}

function nodes(targets: readonly TargetOptions[], options: PortkeyConfigOptions): readonly PortkeyNode[] {
  return targets.map((target) => node(target, options))
}

function node(target: TargetOptions, { credentials, retry }: PortkeyConfigOptions): PortkeyNode {
  const slash = target.model.indexOf('/')
  return {
    provider: target.model.slice(0, slash),
    override_params: { model: target.model.slice(slash + 1) },
    ...credentials?.(target),
    ...(retry !== undefined && {
      retry: { attempts: retry.attempts, ...(retry.onStatusCodes !== undefined && { on_status_codes: retry.onStatusCodes }) },
    }),
  }
}

/** Heaviest first: the likeliest order of a weighted draw among the rest. */
function byWeight(targets: readonly TargetOptions[]): readonly TargetOptions[] {
  return targets.toSorted((a, b) => b.weight - a.weight)
}

function byPrice(targets: readonly TargetOptions[], { cheapestFirst }: PortkeyConfigOptions): readonly TargetOptions[] {
  if (cheapestFirst === undefined) throw unsupported('the strategy price without `cheapestFirst`: Portkey knows no prices')
  const place = (model: string): number => {
    const index = cheapestFirst.indexOf(model)
    return index === -1 ? cheapestFirst.length : index
  }
  return targets.toSorted((a, b) => place(a.model) - place(b.model))
}

function queries(condition: Condition): readonly PortkeyNode[] {
  const { metadata, stream, ...others } = condition
  const foreign = Object.entries(others).find(([, value]) => value !== undefined)?.[0]
  if (foreign !== undefined) throw unsupported(`the condition ${foreign}: Portkey can ask for metadata and parameters only`)
  return [
    ...Object.entries(metadata ?? {}).map(([name, value]) => ({
      [`metadata.${name}`]: typeof value === 'string' ? { $eq: value } : { $in: value },
    })),
    ...(stream === undefined ? [] : [{ 'params.stream': stream ? { $eq: true } : { $ne: true } }]),
  ]
}

function distinct(targets: readonly TargetOptions[]): readonly Condition[] {
  const found: Condition[] = []
  for (const { when } of targets) if (when !== undefined && !found.some((one) => same(one, when))) found.push(when)
  return found
}

function same(one: Condition, other: Condition): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

function unsupported(what: string): SwitchyardError {
  return new SwitchyardError('UNSUPPORTED', `this route cannot be a Portkey config because of ${what}`)
}

function describe({ path, message }: { readonly path: readonly PropertyKey[]; readonly message: string }): string {
  return path.length === 0 ? message : `${path.join('.')}: ${message}`
}
