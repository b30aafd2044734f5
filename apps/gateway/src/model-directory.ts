import { type ModelCard, type ModelProvider, SwitchyardError } from '@switchyard/contract'

export interface Resolved {
  /** Plugin instance. */
  readonly target: string
  /** `provider/model`. */
  readonly model: string
}

export interface ModelDirectory {
  /** Which instance serves a model. Throws `NOT_FOUND` naming what is on. */
  resolve(model: string, headers: Readonly<Record<string, unknown>>): Resolved
  /** Every model that the instances list, sorted by id; an instance that fails is left out and reported to `onFailure`. */
  list(signal: AbortSignal, onFailure: (instance: string, error: unknown) => void): Promise<readonly ModelCard[]>
  /** Patterns and ids that are on, for messages. */
  readonly known: readonly string[]
}

/**
 * Maps model names to plugin instances by their declared capabilities: an exact id first, then `provider/*`, then a request whose
 * headers pick the upstream themselves, then an instance that serves `any`. Within each, assembly order decides.
 */
export function modelDirectory(providers: ReadonlyMap<string, ModelProvider>): ModelDirectory {
  const exact = new Map<string, string>()
  const prefixes = new Map<string, string>()
  const selectors: { readonly header: string; readonly instance: string }[] = []
  let any: string | undefined
  for (const [instance, { capabilities }] of providers) {
    for (const header of capabilities.selectors ?? []) selectors.push({ header, instance })
    if (capabilities.models === 'any') any ??= instance
    else
      for (const name of capabilities.models) {
        if (name.endsWith('/*')) setOnce(prefixes, name.slice(0, -2), instance)
        else setOnce(exact, name, instance)
      }
  }
  const known = [
    ...[...prefixes.keys()].map((prefix) => `${prefix}/*`),
    ...exact.keys(),
    ...(any === undefined ? [] : ['any model']),
  ]

  return {
    known,
    resolve(name, headers) {
      for (const { header, instance } of selectors)
        if (headers[header] !== undefined) return { target: instance, model: selected(name, headers) }
      const slash = name.indexOf('/')
      const target = exact.get(name) ?? (slash > 0 ? prefixes.get(name.slice(0, slash)) : undefined) ?? any
      if (target !== undefined) return { target, model: name }
      throw new SwitchyardError('NOT_FOUND', notFound(name, slash, known), {
        details: { code: 'model_not_found', param: 'model' },
      })
    },
    async list(signal, onFailure) {
      const lists = [...providers].map(async ([instance, provider]) => {
        if (!provider.capabilities.listing) return []
        try {
          return await provider.models({ signal })
        } catch (error) {
          onFailure(instance, error)
          return []
        }
      })
      const cards = new Map((await Promise.all(lists)).flat().map((card) => [card.id, card]))
      return [...cards.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
    },
  }
}

/** A Portkey client names its provider in a header and the model bare. */
function selected(name: string, headers: Readonly<Record<string, unknown>>): string {
  const provider = headers['x-portkey-provider']
  if (typeof provider !== 'string' || provider === '' || name.startsWith(`${provider}/`)) return name
  return `${provider}/${name}`
}

function setOnce(map: Map<string, string>, key: string, value: string): void {
  if (!map.has(key)) map.set(key, value)
}

function notFound(name: string, slash: number, known: readonly string[]): string {
  const on = known.length === 0 ? 'no provider is on' : `on now: ${known.join(', ')}`
  if (slash > 0)
    return `the model ${JSON.stringify(name)} does not exist here: no provider ${JSON.stringify(name.slice(0, slash))} is on (${on})`
  return `the model ${JSON.stringify(name)} does not exist here: name it provider/model (${on})`
}
