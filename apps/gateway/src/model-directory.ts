import { allows } from '@switchyard/access'
import type { CatalogSource } from '@switchyard/catalog'
import { type ModelCard, type ModelProvider, type Router, SwitchyardError } from '@switchyard/contract'

export interface Resolved {
  /** Plugin instance. */
  readonly target: string
  /** `provider/model`, or a public name of a router. */
  readonly model: string
  /** What guards are to count the call by, where no router says it. */
  readonly deployment: string | undefined
}

export interface ModelDirectory {
  /**
   * Which instance serves a model. Throws `NOT_FOUND` naming what is on, as far as the caller's scopes allow it.
   * @param scope Default: whatever there is.
   */
  resolve(model: string, headers: Readonly<Record<string, unknown>>, scope?: readonly string[]): Resolved
  /** Every model that the instances list, sorted by id; an instance that fails is left out and reported to `onFailure`. */
  list(signal: AbortSignal, onFailure: (instance: string, error: unknown) => void): Promise<readonly ModelCard[]>
  /** Patterns and ids that are on, for messages. */
  readonly known: readonly string[]
}

/** How `known` says that there is an instance which serves whatever is asked for. */
export const ANY_MODEL = 'any model'

/** What the directory knows beside the providers. */
export interface DirectoryParts {
  readonly routers?: ReadonlyMap<string, Router>
  /** For names that nobody serves. */
  readonly catalog?: CatalogSource | undefined
}

/**
 * Maps model names to plugin instances: a request whose headers pick the upstream themselves first, then the public names of routers,
 * then by declared capabilities an exact id, then `provider/*`, then an instance that serves `any`. Within each, assembly order decides.
 */
export function modelDirectory(
  providers: ReadonlyMap<string, ModelProvider>,
  { routers = new Map(), catalog }: DirectoryParts = {},
): ModelDirectory {
  const exact = new Map<string, string>()
  const prefixes = new Map<string, string>()
  const selectors: { readonly header: string; readonly instance: string }[] = []
  let any: string | undefined
  const routes = [...routers].flatMap(([instance, router]) => router.routes().map((card) => ({ instance, card })))
  for (const { instance, card } of routes) setOnce(exact, card.id, instance)
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
    ...(any === undefined ? [] : [ANY_MODEL]),
  ]

  // A router gives every call its deployment itself.
  const resolved =
    routers.size > 0
      ? (target: string, model: string): Resolved => ({ target, model, deployment: undefined })
      : (target: string, model: string): Resolved => ({ target, model, deployment: `${target}/${model}` })

  return {
    known,
    resolve(name, headers, scope = ANYTHING) {
      for (const { header, instance } of selectors)
        if (headers[header] !== undefined) return resolved(instance, selected(name, headers))
      const slash = name.indexOf('/')
      const target = exact.get(name) ?? (slash > 0 ? prefixes.get(name.slice(0, slash)) : undefined) ?? any
      if (target !== undefined) return resolved(target, name)
      const allowed = (one: string): boolean => allows(scope, one)
      const nearest = nearestTo(name, catalog).filter(allowed)
      throw new SwitchyardError(
        'NOT_FOUND',
        notFound(name, slash, known.length === 0 ? undefined : known.filter(allowed), nearest),
        {
          details: { code: 'model_not_found', param: 'model', ...(nearest.length > 0 && { nearest }) },
        },
      )
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
      const named = routes.map(({ card }) => card)
      const cards = new Map([...(await Promise.all(lists)).flat(), ...named].map((card) => [card.id, card]))
      return [...cards.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
    },
  }
}

const ANYTHING: readonly string[] = Object.freeze(['*'])

/** A Portkey client names its provider in a header and the model bare. */
function selected(name: string, headers: Readonly<Record<string, unknown>>): string {
  const provider = headers['x-portkey-provider']
  if (typeof provider !== 'string' || provider === '' || name.startsWith(`${provider}/`)) return name
  return `${provider}/${name}`
}

function setOnce(map: Map<string, string>, key: string, value: string): void {
  if (!map.has(key)) map.set(key, value)
}

/** Names of the catalog that are most alike; none where it knows this very one, or where there is no catalog. */
function nearestTo(name: string, catalog: CatalogSource | undefined): readonly string[] {
  try {
    catalog?.current().resolve(name)
    return []
  } catch (error) {
    const nearest = SwitchyardError.is(error) ? error.details?.nearest : undefined
    return Array.isArray(nearest) ? nearest : []
  }
}

function notFound(name: string, slash: number, known: readonly string[] | undefined, nearest: readonly string[]): string {
  const on = known === undefined ? 'no provider is on' : `on now: ${known.join(', ') || 'nothing else that this key may call'}`
  const alike = nearest.length === 0 ? '' : `; the nearest names in the catalog are ${nearest.join(', ')}`
  const shown = JSON.stringify(name.slice(0, 200))
  if (slash > 0)
    return `the model ${shown} does not exist here: no provider ${JSON.stringify(name.slice(0, Math.min(slash, 100)))} is on (${on})${alike}`
  return `the model ${shown} does not exist here: name it provider/model (${on})${alike}`
}
