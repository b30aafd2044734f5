import { type ModelProvider, type Router, SwitchyardError } from '@switchyard/contract'

/** Who serves models in this assembly. */
export interface Serving {
  readonly providers: ReadonlyMap<string, ModelProvider>
  readonly routers: ReadonlyMap<string, Router>
}

/** Where a call of our own goes. */
export interface Destination {
  readonly model: string
  /** Plugin instance. */
  readonly target: string
  /** What guards count it by; undefined where a router says so. */
  readonly deployment: string | undefined
}

/**
 * Where calls for `model` go, as for a client's: to a router that has the name, to who declares exactly it, then `provider/*`, then `any`;
 * or to `target` where that is given. Throws `CONFIG_INVALID`, naming the option, where there is none.
 */
export function destinationOf(option: string, model: string, target: string | undefined, serving: Serving): Destination {
  const { providers, routers } = serving
  const found = target ?? instanceFor(model, serving)
  if (found === undefined || !(providers.has(found) || routers.has(found))) {
    const known = [...routers.keys(), ...providers.keys()].join(', ') || 'none'
    const wrong = target === undefined ? `no plugin serves the model ${model}` : `there is no instance ${target}`
    throw new SwitchyardError(
      'CONFIG_INVALID',
      `${option}: ${wrong}; these are on: ${known}. Name a model that one of them serves`,
    )
  }
  return { model, target: found, deployment: routers.size > 0 ? undefined : `${found}/${model}` }
}

function instanceFor(model: string, { providers, routers }: Serving): string | undefined {
  for (const [instance, router] of routers) if (router.routes().some(({ id }) => id === model)) return instance
  const pattern = `${model.slice(0, Math.max(0, model.indexOf('/')))}/*`
  for (const name of [model, pattern])
    for (const [instance, { capabilities }] of providers)
      if (capabilities.models !== 'any' && capabilities.models.includes(name)) return instance
  for (const [instance, { capabilities }] of providers) if (capabilities.models === 'any') return instance
  return undefined
}
