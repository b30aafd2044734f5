import { CAPABILITIES, type Capability, type CatalogSource, createCatalog, type Entry } from '@switchyard/catalog'
import type { Call, Health, HealthState, ModelProvider, ModelRequest, TargetHealth } from '@switchyard/contract'

/** A catalog entry with what a test cares about: prices in USD per million tokens. */
export function entry(
  id: string,
  facts: {
    readonly context?: number
    readonly input?: number
    readonly output?: number
    readonly caps?: Partial<Record<Capability, boolean>>
  } = {},
): Entry {
  const slash = id.indexOf('/')
  const { context, input, output, caps = {} } = facts
  const perToken = {
    ...(input !== undefined && { input: input * 1_000_000 }),
    ...(output !== undefined && { output: output * 1_000_000 }),
  }
  return {
    id,
    provider: id.slice(0, slash),
    model: id.slice(slash + 1),
    aliases: [],
    moving: false,
    baseModel: id.slice(slash + 1),
    kind: 'chat',
    endpoints: ['chat/completions'],
    route: { via: 'unknown' },
    limits: context === undefined ? {} : { context },
    modalities: { input: ['text'], output: ['text'] },
    caps: Object.fromEntries(CAPABILITIES.map((name) => [name, caps[name] ?? null])) as Entry['caps'],
    prices: input === undefined ? [] : [{ tier: 'standard', region: '*', perToken, perUnit: {} }],
    free: false,
    lifecycle: { status: 'active' },
    provenance: { asOf: '2026-11-01', sources: ['test'], confidence: 'single', conflicts: [], inherited: [] },
  }
}

/** A source that gives one catalog of these entries. */
export function catalogOf(...entries: readonly Entry[]): CatalogSource {
  const catalog = createCatalog(entries, { version: 'test' })
  return { current: () => catalog }
}

/** Providers by instance name, each with what it declares; nobody calls them. */
export function providers(
  declared: Readonly<Record<string, Partial<ModelProvider['capabilities']>>>,
): ReadonlyMap<string, ModelProvider> {
  return new Map(
    Object.entries(declared).map(([instance, capabilities]) => [
      instance,
      {
        capabilities: {
          endpoints: ['chat/completions'],
          streaming: true,
          models: [`${instance}/*`],
          listing: false,
          cancels: true,
          ...capabilities,
        },
        invoke: () => Promise.reject(new Error('not called')),
        models: () => Promise.reject(new Error('not called')),
        probe: () => Promise.reject(new Error('not called')),
      },
    ]),
  )
}

/** Health of deployments by name; one that is not named is healthy. */
export function healthOf(known: Readonly<Record<string, Partial<TargetHealth>>>): Health {
  const of = (deployment: string): TargetHealth => ({
    deployment,
    state: 'healthy' as HealthState,
    since: 0,
    reason: '',
    weight: 1,
    inFlight: 0,
    firstTokenMs: undefined,
    successRate: undefined,
    ...known[deployment],
  })
  return {
    capabilities: { shared: false },
    of,
    list: () => Object.keys(known).map(of),
    history: () => [],
    disable: () => Promise.reject(new Error('not used')),
    enable: () => Promise.reject(new Error('not used')),
  }
}

/** A chat request; its bytes are there, as from a client. */
export function request(model: string, body: Readonly<Record<string, unknown>> = {}): ModelRequest {
  const whole = { model, messages: [{ role: 'user', content: 'Hello' }], ...body }
  return {
    endpoint: 'chat/completions',
    model,
    body: whole,
    raw: Buffer.from(JSON.stringify(whole)),
    stream: body.stream === true,
  }
}

/** A call for a model, as the gateway makes one. */
export function call(target: string, given: ModelRequest, principal: Partial<Call['principal']> = {}): Call<'model.invoke'> {
  const decisions: Call['trace']['decisions'][number][] = []
  return Object.freeze({
    id: 'call-1',
    operation: 'model.invoke',
    target,
    request: given,
    principal: { tenant: 'acme', keyId: 'key-1', roles: [], ...principal },
    signal: new AbortController().signal,
    deadline: undefined,
    attempt: 1,
    idempotent: true,
    attributes: { from: 'client' },
    trace: {
      decisions,
      measures: new Map(),
      decide: (by: string, decision: string, because?: Readonly<Record<string, unknown>>) => {
        decisions.push({ by, decision, ...(because !== undefined && { because }) })
      },
      measure: () => {},
    },
  } as const)
}
