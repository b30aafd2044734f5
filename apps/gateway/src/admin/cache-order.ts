import type { Invalidation } from '@switchyard/cache'
import { SwitchyardError } from '@switchyard/contract'

type Body = Readonly<Record<string, unknown>>

const LISTS = ['tags', 'models', 'prompts', 'tables'] as const
const INVALIDATION = ['tenant', 'target', 'everything', ...LISTS, 'dry_run'] as const
const REJECTION = ['tenant', 'request_id'] as const
const LONGEST = 2_048

/**
 * Reads `{ tenant, tags?, models?, prompts? }`, `{ target, tables? }` or `{ everything: true }`, each with `dry_run?`. Throws
 * `INVALID_REQUEST` for anything else: a slip must never empty more, or less, than was meant. Which of them go together the cache says.
 */
export function invalidationIn(body: Body): { readonly what: Invalidation; readonly dryRun: boolean } {
  onlyNames(body, INVALIDATION)
  const { tenant, target, everything, dry_run: dryRun = false } = body
  if (typeof dryRun !== 'boolean') throw invalid('dry_run', 'it is true or false')
  if (everything !== undefined && everything !== true) throw invalid('everything', 'it is true, or left out')
  const what: Invalidation = {
    ...(tenant !== undefined && { tenant: textIn(tenant, 'tenant') }),
    ...(target !== undefined && { target: textIn(target, 'target') }),
    ...(everything === true && { everything: true as const }),
    ...Object.fromEntries(LISTS.filter((name) => body[name] !== undefined).map((name) => [name, textsIn(body[name], name)])),
  }
  const [list] = LISTS.filter((name) => body[name] !== undefined && !goesWith(name, body))
  if (list !== undefined) throw invalid(list, `it goes with ${list === 'tables' ? 'target' : 'tenant'}`)
  return { what, dryRun }
}

/** Reads `{ tenant, request_id }`. Throws `INVALID_REQUEST` for anything else. */
export function rejectionIn(body: Body): { readonly tenant: string; readonly requestId: string } {
  onlyNames(body, REJECTION)
  return { tenant: textIn(body.tenant, 'tenant'), requestId: textIn(body.request_id, 'request_id') }
}

function goesWith(list: (typeof LISTS)[number], { tenant, target }: Body): boolean {
  return (list === 'tables' ? target : tenant) !== undefined
}

function onlyNames(body: Body, known: readonly string[]): void {
  const unknown = Object.keys(body).find((name) => !known.includes(name))
  if (unknown !== undefined) throw invalid(unknown.slice(0, 100), `it is none of ${known.join(', ')}`)
}

function textIn(value: unknown, param: string): string {
  if (typeof value === 'string' && value !== '' && value.length <= LONGEST) return value
  throw invalid(param, `it is a text of 1 to ${LONGEST} characters`)
}

function textsIn(value: unknown, param: string): readonly string[] {
  if (!Array.isArray(value)) throw invalid(param, 'it is a list of texts')
  return value.map((one) => textIn(one, param))
}

function invalid(param: string, what: string): SwitchyardError {
  return new SwitchyardError('INVALID_REQUEST', `${param}: ${what}`, { details: { param } })
}
