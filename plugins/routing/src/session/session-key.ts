import type { Call } from '@switchyard/contract'

/** Header by which a client names its session. */
export const SESSION_HEADER = 'x-switchyard-session'

const MAX_NAME = 200
const MAX_CHARS = 32_768
const MAX_DEPTH = 12

/** Which session a call belongs to. */
export interface SessionKey {
  /** For the attribute `session`. */
  readonly session: string
  /** With the tenant: what is kept is kept by it. */
  readonly key: string
}

/**
 * As the client names it, by header or `prompt_cache_key`; else by a hash of what a conversation begins with: system, tools and the
 * first message of the user. Two tenants never share one.
 */
export function sessionKeyOf({ principal, request }: Pick<Call<'model.invoke'>, 'principal' | 'request'>): SessionKey {
  const { tenant } = principal
  const stated = request.headers?.[SESSION_HEADER] ?? request.body.prompt_cache_key
  const session =
    typeof stated === 'string' && stated !== '' ? stated.slice(0, MAX_NAME) : `auto-${beginningHash(tenant, request.body)}`
  return { session, key: `${tenant}\n${session}` }
}

type Json = Readonly<Record<string, unknown>>

function beginningHash(tenant: string, body: Json): string {
  const hash = new Hash()
  hash.text(tenant)
  hash.value(body.model, 0)
  hash.value(body.system ?? body.instructions, 0)
  hash.value(body.tools, 0)
  const turns = Array.isArray(body.messages) ? body.messages : body.input
  if (!Array.isArray(turns)) hash.value(turns ?? body.prompt, 0)
  else
    for (const turn of turns as readonly unknown[]) {
      hash.value(turn, 0)
      if ((turn as Json | null)?.role === 'user') break
    }
  return hash.digest()
}

/** Two 32-bit FNV-1a lanes: no security hangs on it, since the tenant stands in every key. */
class Hash {
  #a = 0x811c9dc5
  #b = 0x1b873593
  #left = MAX_CHARS

  text(text: string): void {
    const end = Math.min(text.length, this.#left)
    this.#left -= end
    for (let at = 0; at < end; at++) {
      const code = text.charCodeAt(at)
      this.#a = Math.imul(this.#a ^ code, 0x01000193)
      this.#b = Math.imul(this.#b ^ code, 0x85ebca6b)
    }
    this.#a = Math.imul(this.#a ^ 0x1f, 0x01000193)
    this.#b = Math.imul(this.#b ^ text.length, 0x85ebca6b)
  }

  value(value: unknown, depth: number): void {
    if (this.#left <= 0 || depth > MAX_DEPTH) return
    if (typeof value === 'string') this.text(value)
    else if (Array.isArray(value)) for (const item of value) this.value(item, depth + 1)
    else if (typeof value === 'object' && value !== null) {
      for (const key in value) {
        // Marks of where to cache move from turn to turn.
        if (key === 'cache_control') continue
        this.text(key)
        this.value((value as Json)[key], depth + 1)
      }
    } else this.text(String(value))
  }

  digest(): string {
    return (this.#a >>> 0).toString(36) + (this.#b >>> 0).toString(36)
  }
}
