import { type Health, health, SwitchyardError } from '@switchyard/contract'
import { catalogKeeper } from '../catalog/port.ts'
import type { ServerParts } from '../server/http-server.ts'
import type { AdminRequest } from './admin-route.ts'
import { jsonBody } from './json-body.ts'
import { onlyKnown } from './query.ts'

/** `GET /admin/health`: every deployment that was seen, and how the catalog is kept up to date. */
export function listHealth({ exchange, parts, query }: AdminRequest): void {
  onlyKnown(query, [])
  const [keeper] = parts.kernel.all(catalogKeeper).values()
  exchange.json(200, { object: 'list', data: healthOf(parts).list(), catalog: keeper?.status() ?? null })
}

/** `GET /admin/health/DEPLOYMENT`: its state and what became of it, newest first. */
export function showHealth({ exchange, parts, query }: AdminRequest, deployment: string): void {
  onlyKnown(query, [])
  const source = healthOf(parts)
  const history = source.history(deployment)
  if (history.length === 0 && !source.list().some((one) => one.deployment === deployment))
    throw new SwitchyardError(
      'NOT_FOUND',
      `nothing is known of the deployment ${shown(deployment)}; GET /admin/health lists them`,
    )
  exchange.json(200, { ...source.of(deployment), history })
}

/** `POST /admin/health/DEPLOYMENT/disable` and `/enable`, with `{ by?, reason }`: takes it out at every node, or back in. */
export async function changeHealth(
  { exchange, parts, query, keyId }: AdminRequest,
  deployment: string,
  verb: 'disable' | 'enable',
): Promise<void> {
  onlyKnown(query, [])
  const source = healthOf(parts)
  const change = changeIn(await jsonBody(exchange.request), keyId)
  await mustExist(parts, deployment)
  await source[verb](deployment, change)
  parts.log.info({ requestId: exchange.id, deployment, key: keyId, ...change }, `deployment ${verb}d`)
  exchange.json(200, source.of(deployment))
}

function healthOf({ kernel }: ServerParts): Health {
  const [source] = kernel.all(health).values()
  if (source !== undefined) return source
  throw new SwitchyardError('NOT_FOUND', 'no plugin of the assembly provides the port health; add @switchyard/health')
}

function changeIn(body: Readonly<Record<string, unknown>>, keyId: string): { readonly by: string; readonly reason: string } {
  for (const name of Object.keys(body))
    if (name !== 'by' && name !== 'reason') throw invalid(name.slice(0, 100), 'it is neither by nor reason')
  return { by: body.by === undefined ? keyId : textIn(body.by, 'by'), reason: textIn(body.reason, 'reason') }
}

function textIn(value: unknown, param: string): string {
  if (typeof value === 'string' && value.trim() !== '' && value.length <= 1_000) return value
  throw invalid(param, 'say it in a text of 1 to 1,000 characters')
}

/** A slip in the name must not look as if something had been taken out. */
async function mustExist({ kernel }: ServerParts, deployment: string): Promise<void> {
  const [target = ''] = deployment.split('/')
  const { operations } = await kernel.inspect()
  const targets = new Set(operations.flatMap((operation) => operation.targets))
  if (targets.has(target)) return
  const known = [...targets].join(', ') || 'none'
  throw new SwitchyardError(
    'NOT_FOUND',
    `${shown(deployment)} is of no plugin instance that serves calls (there are: ${known})`,
  )
}

function shown(deployment: string): string {
  return JSON.stringify(deployment.slice(0, 200))
}

function invalid(param: string, what: string): SwitchyardError {
  return new SwitchyardError('INVALID_REQUEST', `${param}: ${what}`, { details: { param } })
}
