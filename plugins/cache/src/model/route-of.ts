import { type ModelEndpoint, type ModelRequest, namePattern } from '@switchyard/contract'
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
    const patterns = models.map(namePattern)
    const served = endpoints === undefined ? undefined : new Set<ModelEndpoint>(endpoints)
    return { settings, patterns, served }
  })
  return ({ model, endpoint }) => {
    for (const { settings, patterns, served } of routes)
      if ((served === undefined || served.has(endpoint)) && patterns.some((fits) => fits(model))) return settings
    return common
  }
}
