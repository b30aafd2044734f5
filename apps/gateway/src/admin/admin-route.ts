import { SwitchyardError } from '@switchyard/contract'
import type { Exchange } from '../server/exchange.ts'
import type { Route, ServerParts } from '../server/http-server.ts'
import { changeHealth, listHealth, showHealth } from './health.ts'
import { listCatalog } from './models.ts'
import { listProviders } from './providers.ts'

/** One question or order to the admin API. */
export interface AdminRequest {
  readonly exchange: Exchange
  readonly parts: ServerParts
  readonly query: URLSearchParams
  readonly keyId: string
}

export type AdminHandler = (request: AdminRequest) => Promise<void> | void

const HEALTH = '/admin/health/'
const CHANGE = /^\/admin\/health\/(.+)\/(disable|enable)$/

/** The handler of a path below `/admin/`, behind the check that an admin asks; undefined where there is none. */
export function adminRoute(method: string | undefined, path: string): Route | undefined {
  const handler = handlerOf(method, path)
  return handler === undefined ? undefined : (exchange, parts) => asAdmin(exchange, parts, handler)
}

function handlerOf(method: string | undefined, path: string): AdminHandler | undefined {
  if (method === 'GET') {
    if (path === '/admin/providers') return listProviders
    if (path === '/admin/models') return listCatalog
    if (path === '/admin/health') return listHealth
    if (path.startsWith(HEALTH)) return (request) => showHealth(request, deploymentIn(path.slice(HEALTH.length)))
  }
  const [, deployment, verb] = method === 'POST' ? (CHANGE.exec(path) ?? []) : []
  if (deployment === undefined) return undefined
  return (request) => changeHealth(request, deploymentIn(deployment), verb as 'disable' | 'enable')
}

function asAdmin(exchange: Exchange, parts: ServerParts, handler: AdminHandler): Promise<void> | void {
  const { principal } = parts.live().authenticate(exchange.request.headers)
  exchange.noted.tenant = principal.tenant
  exchange.noted.key = principal.keyId
  if (!principal.roles.includes('admin')) throw new SwitchyardError('FORBIDDEN', 'this needs a key with the role admin')
  const query = new URLSearchParams(exchange.request.url?.split('?')[1] ?? '')
  return handler({ exchange, parts, query, keyId: principal.keyId })
}

/** Slashes may stand in a path as they are, or encoded. */
function deploymentIn(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch (cause) {
    throw new SwitchyardError('INVALID_REQUEST', 'the deployment in the path is not encoded as URLs are', { cause })
  }
}
