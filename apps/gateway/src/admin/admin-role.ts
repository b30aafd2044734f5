import { ADMIN_ROLES, type AdminRole, SwitchyardError } from '@switchyard/contract'
import type { Authenticated } from '../principal.ts'

/** What a caller may do here: the greatest of its roles. Undefined for one that may do nothing, as every virtual key, whatever it holds. */
export function adminRoleOf({ class: of, principal }: Authenticated): AdminRole | undefined {
  if (of === 'virtual') return undefined
  return ADMIN_ROLES.findLast((role) => principal.roles.includes(role))
}

/** Throws `FORBIDDEN` where a role is not enough. */
export function requireRole(held: AdminRole | undefined, needed: AdminRole): asserts held is AdminRole {
  if (held !== undefined && ADMIN_ROLES.indexOf(held) >= ADMIN_ROLES.indexOf(needed)) return
  const what = needed === 'admin' ? 'the role admin' : `the role ${ADMIN_ROLES.slice(ADMIN_ROLES.indexOf(needed)).join(' or ')}`
  throw new SwitchyardError('FORBIDDEN', `this needs a key with ${what}; virtual keys never administer`)
}
