import { isSecretName } from './redact.ts'

/** `,"name":` by name; false for a name whose values are secret. Names come from our own code, so there are few. */
const PREFIXES = new Map<string, string | false>()
const MOST_NAMES = 1_000

/**
 * The members of a log line, each with a comma in front, of fields that are texts, numbers and truth values; undefined where there is
 * anything else, or a secret, which are pino's and `redact`'s to write. Several times as fast as those, for the line of every request.
 */
export function flatMembers(fields: object): string | undefined {
  const given = fields as Readonly<Record<string, unknown>>
  let members = ''
  for (const name in given) {
    const value = given[name]
    if (value === undefined) continue
    const prefix = prefixOf(name)
    if (prefix === false) return undefined
    if (typeof value === 'string') members += prefix + JSON.stringify(value)
    else if (typeof value === 'number') members += prefix + (Number.isFinite(value) ? value : null)
    else if (typeof value === 'boolean') members += prefix + value
    else return undefined
  }
  return members
}

function prefixOf(name: string): string | false {
  let prefix = PREFIXES.get(name)
  if (prefix === undefined) {
    prefix = isSecretName(name) ? false : `,${JSON.stringify(name)}:`
    if (PREFIXES.size < MOST_NAMES) PREFIXES.set(name, prefix)
  }
  return prefix
}
