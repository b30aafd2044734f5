import { type BudgetAdmin, type BudgetDefinitionInput, budgetAdmin, type ListedBudget } from '@switchyard/budget'
import { SwitchyardError } from '@switchyard/contract'
import type { ServerParts } from '../server/http-server.ts'
import type { AdminHandler, AdminRequest } from './admin-route.ts'
import { jsonBody } from './json-body.ts'
import { onlyKnown } from './query.ts'

const PATH = /^\/admin\/budgets(?:\/([A-Za-z0-9][A-Za-z0-9._-]{0,63}))?$/

/** The handler of a path at or below `/admin/budgets`; undefined where there is none. */
export function budgetsHandler(method: string | undefined, path: string): AdminHandler | undefined {
  const match = PATH.exec(path)
  if (match === null) return undefined
  const [, name] = match
  if (name === undefined) return method === 'GET' ? listBudgets : undefined
  if (method === 'GET') return (request) => showBudget(request, name)
  if (method === 'PUT') return (request) => putBudget(request, name)
  return method === 'DELETE' ? (request) => removeBudget(request, name) : undefined
}

/** `GET /admin/budgets`: those of the configuration and those made here. */
function listBudgets({ exchange, parts, query }: AdminRequest): void {
  onlyKnown(query, [])
  exchange.json(200, { object: 'list', data: adminOf(parts).list().map(shown) })
}

/** `GET /admin/budgets/NAME`. */
function showBudget({ exchange, parts, query }: AdminRequest, name: string): void {
  onlyKnown(query, [])
  exchange.json(200, shown(listed(adminOf(parts), name)))
}

/** `PUT /admin/budgets/NAME`: makes or changes one; what was spent stays. */
async function putBudget({ exchange, parts, query, keyId }: AdminRequest, name: string): Promise<void> {
  onlyKnown(query, [])
  const source = adminOf(parts)
  const body = await jsonBody(exchange.request)
  if (body.name !== undefined && body.name !== name)
    throw new SwitchyardError('INVALID_REQUEST', 'name: the path and the body name two budgets', { details: { param: 'name' } })
  const isNew = !source.list().some(({ definition }) => definition.name === name)
  await source.put({ ...body, name } as BudgetDefinitionInput)
  parts.log.info({ requestId: exchange.id, budget: name, key: keyId }, isNew ? 'budget made' : 'budget changed')
  exchange.json(isNew ? 201 : 200, shown(listed(source, name)))
}

/** `DELETE /admin/budgets/NAME`. */
async function removeBudget({ exchange, parts, query, keyId }: AdminRequest, name: string): Promise<void> {
  onlyKnown(query, [])
  if (!(await adminOf(parts).remove(name))) throw unknown(name)
  parts.log.info({ requestId: exchange.id, budget: name, key: keyId }, 'budget removed')
  exchange.json(200, { name, removed: true })
}

function shown({ definition, source }: ListedBudget): Readonly<Record<string, unknown>> {
  return { ...definition, source }
}

function listed(admin: BudgetAdmin, name: string): ListedBudget {
  const found = admin.list().find(({ definition }) => definition.name === name)
  if (found === undefined) throw unknown(name)
  return found
}

function unknown(name: string): SwitchyardError {
  return new SwitchyardError('NOT_FOUND', `there is no budget "${name}"; GET /admin/budgets lists them`)
}

function adminOf({ kernel }: ServerParts): BudgetAdmin {
  const [source] = kernel.all(budgetAdmin).values()
  if (source !== undefined) return source
  throw new SwitchyardError('NOT_FOUND', 'no plugin of the assembly keeps budgets: add @switchyard/budget')
}
