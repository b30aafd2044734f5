import type { IncomingMessage } from 'node:http'
import { type AdminRole, SwitchyardError } from '@switchyard/contract'
import { systemClock } from '@switchyard/kernel'
import { type CallerClass, isLate } from '../principal.ts'
import type { Exchange } from '../server/exchange.ts'
import type { Route, ServerParts } from '../server/http-server.ts'
import { adminRoleOf, requireRole } from './admin-role.ts'
import { budgetsHandler } from './budgets.ts'
import { cacheHandler } from './cache.ts'
import { costsHandler } from './costs.ts'
import { changeHealth, listHealth, showHealth } from './health.ts'
import { jsonBody } from './json-body.ts'
import { keysHandler } from './keys.ts'
import { listCatalog } from './models.ts'
import { listProviders } from './providers.ts'

/** One question or order to the admin API. */
export interface AdminRequest {
  readonly exchange: Exchange
  readonly parts: ServerParts
  readonly query: URLSearchParams
  readonly keyId: string
  readonly class: CallerClass
  /** Enough for the method: `viewer` reads, `operator` changes. What needs more asks for it. */
  readonly role: AdminRole
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
  const of =
    keysHandler(method, path) ?? costsHandler(method, path) ?? budgetsHandler(method, path) ?? cacheHandler(method, path)
  if (of !== undefined) return of
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

async function asAdmin(exchange: Exchange, parts: ServerParts, handler: AdminHandler): Promise<void> {
  const { request } = exchange
  const begun = systemClock.now()
  let admin = await adminOf(exchange, parts)
  if (hasBody(request)) {
    // What is wrong with it the handler says, which reads it too.
    await jsonBody(request).catch(() => {})
    if (isLate(begun)) admin = await adminOf(exchange, parts)
  }
  const query = new URLSearchParams(request.url?.split('?')[1] ?? '')
  await handler({ exchange, parts, query, ...admin })
}

/** Who asks, if the role is enough for the method. */
async function adminOf(
  { request, noted }: Exchange,
  parts: ServerParts,
): Promise<Pick<AdminRequest, 'keyId' | 'class' | 'role'>> {
  const caller = await parts.live().authenticate(request.headers, request.socket.remoteAddress)
  const { principal } = caller
  noted.tenant = principal.tenant
  noted.key = principal.keyId
  const role = adminRoleOf(caller)
  requireRole(role, request.method === 'GET' ? 'viewer' : 'operator')
  return { keyId: principal.keyId, class: caller.class, role }
}

function hasBody({ method, headers }: IncomingMessage): boolean {
  return method !== 'GET' && (headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined)
}

/** Slashes may stand in a path as they are, or encoded. */
function deploymentIn(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch (cause) {
    throw new SwitchyardError('INVALID_REQUEST', 'the deployment in the path is not encoded as URLs are', { cause })
  }
}
