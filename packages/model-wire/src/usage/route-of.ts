import type { RelayOptions } from '../relay-options.ts'
import type { UsageRoute } from './normalise.ts'

/** By which rule a reply's counts become totals: the provider's, else that of the endpoint's dialect. */
export function routeOf({ dialect, request }: Pick<RelayOptions, 'dialect' | 'request'>): UsageRoute {
  return dialect ?? (request.endpoint === 'messages' ? 'anthropic' : 'openai')
}
