import type { RelayOptions } from '../relay-options.ts'
import type { UsageRoute } from './normalise.ts'

/** By which rule a reply's counts become totals: the provider's, else that of the endpoint's dialect, else that of the model's maker. */
export function routeOf({ dialect, request }: Pick<RelayOptions, 'dialect' | 'request'>): UsageRoute {
  if (dialect !== undefined) return dialect
  const { endpoint, model } = request
  if (endpoint === 'messages') return 'anthropic'
  if (model.includes('gemini-')) return 'gemini'
  return model.includes('grok-') ? 'xai' : 'openai'
}
