import type { Principal } from '@switchyard/contract'
import type { JWTPayload } from 'jose'
import type { ClaimRule, JwtOptions } from './options.ts'

const MAX_LENGTH = 200

/**
 * The principal of a token by the rules of its issuer; undefined where a claim that a rule names is missing, empty or no text. There is
 * no default for any of them.
 */
export function principalOf(payload: JWTPayload, rules: JwtOptions): Principal | undefined {
  const tenant = textBy(rules.tenant, payload)
  const user = textBy(rules.user, payload)
  const team = rules.team === undefined ? undefined : textBy(rules.team, payload)
  if (tenant === undefined || user === undefined || (rules.team !== undefined && team === undefined)) return undefined
  const { models, endpoints } = rules
  return Object.freeze({
    tenant,
    // With the issuer: two of them may call different people by one name. What follows the last colon is the user, whatever it holds, or one
    // issuer could name the people of another whose name goes on from its own.
    keyId: `jwt:${rules.issuer}:${user.replaceAll('%', '%25').replaceAll(':', '%3A')}`,
    ...(team !== undefined && { team }),
    user,
    roles: Object.freeze(rolesOf(payload, rules.roles)),
    scopes: Object.freeze({ models, endpoints }),
  })
}

function textBy(rule: ClaimRule, payload: JWTPayload): string | undefined {
  if ('value' in rule) return rule.value
  const value = claimIn(payload, rule.claim)
  return typeof value === 'string' && value.trim() !== '' && value.length <= MAX_LENGTH ? value : undefined
}

function rolesOf(payload: JWTPayload, rule: JwtOptions['roles']): readonly string[] {
  if (rule === undefined) return []
  const value = claimIn(payload, rule.claim)
  const named = Array.isArray(value) ? value : [value]
  return [
    ...new Set(
      named.flatMap((name) => (typeof name === 'string' && Object.hasOwn(rule.map, name) ? (rule.map[name] ?? []) : [])),
    ),
  ]
}

/** A claim by its name, which may hold dots; else by a path of names. */
function claimIn(payload: JWTPayload, name: string): unknown {
  if (Object.hasOwn(payload, name)) return payload[name]
  let value: unknown = payload
  for (const part of name.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined
    value = (value as Record<string, unknown>)[part]
  }
  return value
}
