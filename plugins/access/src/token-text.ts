import { decodeJwt } from 'jose'

/** Longest token that is looked at. */
const MAX_LENGTH = 8_192
const MAX_CLAIMED = 200

/** Whether a text has the form of a signed token: a JSON header in base64url, and two dots. */
export function looksLikeToken(text: string): boolean {
  if (!text.startsWith('eyJ') || text.length > MAX_LENGTH) return false
  const first = text.indexOf('.')
  const second = text.indexOf('.', first + 1)
  return first > 0 && second > first + 1 && text.indexOf('.', second + 1) === -1
}

/** Who issued a token by its own account, which nothing proves; undefined where it cannot be read. */
export function issuerIn(text: string): string | undefined {
  return claim(text, 'iss')
}

/** Whom a token is for by its own account. */
export function claimedBy(text: string): string | undefined {
  return claim(text, 'sub')?.slice(0, MAX_CLAIMED)
}

function claim(text: string, name: 'iss' | 'sub'): string | undefined {
  try {
    const value = decodeJwt(text)[name]
    return typeof value === 'string' ? value : undefined
  } catch {
    return undefined
  }
}
