import type { ModelEndpoint, ModelRequest } from '@switchyard/contract'
import type { ModelOptions, RouteSettings } from './options.ts'

/** Settings of a request, and of which route they are: an empty name where none matched. */
export interface Settings extends RouteSettings {
  readonly name: string
}

/** The settings of the first route that matches. */
export function routeOf(options: ModelOptions): (request: Pick<ModelRequest, 'model' | 'endpoint'>) => Settings {
  const common: Settings = { ...options, name: '' }
  if (options.routes.length === 0) return () => common
  const routes = options.routes.map((settings) => {
    const { models, endpoints } = settings.match
    const patterns = models.map((pattern) => pattern.split('*'))
    const served = endpoints === undefined ? undefined : new Set<ModelEndpoint>(endpoints)
    return { settings, patterns, served }
  })
  return ({ model, endpoint }) => {
    for (const { settings, patterns, served } of routes)
      if ((served === undefined || served.has(endpoint)) && patterns.some((pieces) => fits(model, pieces))) return settings
    return common
  }
}

/** The first piece begins the name, the last ends it, and those between stand there in order. */
function fits(name: string, pieces: readonly string[]): boolean {
  const first = pieces[0] as string
  if (pieces.length === 1) return name === first
  const last = pieces.at(-1) as string
  if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) return false
  const end = name.length - last.length
  let at = first.length
  for (const piece of pieces.slice(1, -1)) {
    const found = name.indexOf(piece, at)
    if (found === -1 || found + piece.length > end) return false
    at = found + piece.length
  }
  return true
}
