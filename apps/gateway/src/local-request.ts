import type { IncomingHttpHeaders } from 'node:http'
import { SwitchyardError } from '@switchyard/contract'

/** Names that no other machine's name server can answer for. */
const HERE = /^(?:(?:[\w-]+\.)*localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i
const PEER = /^(?:127\.|::ffff:127\.|::1$)/
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-real-ip'] as const
const MAX_SHOWN = 100

/**
 * Lets a request to a gateway without keys pass where a program of this machine made it. Throws `FORBIDDEN` for what only looks so: any page
 * in a browser of this machine can post here, or have a name of its own resolve to loopback, and a proxy beside the gateway hands on what
 * others sent. `source` is the peer's address.
 */
export function requireLocal(headers: IncomingHttpHeaders, source: string | undefined): void {
  const why = foreign(headers, source)
  if (why === undefined) return
  throw new SwitchyardError(
    'FORBIDDEN',
    `while it has no key, this gateway serves programs of this machine only, and ${why}: create a key with ` +
      '"switchyard keys create --admin" or list one in auth.keys, and send it',
    { details: { code: 'not_local' } },
  )
}

function foreign(headers: IncomingHttpHeaders, source: string | undefined): string | undefined {
  const { host, origin } = headers
  if (source !== undefined && !PEER.test(source)) return `this request came from ${source}`
  if (host !== undefined && !HERE.test(host)) return `this request is for the host ${shown(host)}`
  for (const name of FORWARDED) if (headers[name] !== undefined) return `this request came through a proxy (${name})`
  const site = headers['sec-fetch-site']
  // Where a browser says this, no page can have made it up; an older one says the origin only.
  if (site !== undefined)
    return site === 'same-origin' || site === 'none' ? undefined : 'this request came from a page of another origin'
  if (origin === undefined || origin.toLowerCase() === `http://${host}`.toLowerCase()) return undefined
  return `this request came from the page ${shown(origin)}`
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, MAX_SHOWN))
}
