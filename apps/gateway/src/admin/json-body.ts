import type { IncomingMessage } from 'node:http'
import { SwitchyardError } from '@switchyard/contract'
import { parseObject, readBody } from '../server/body.ts'

const MAX_BODY_BYTES = 65_536

type Body = Readonly<Record<string, unknown>>

const read = new WeakMap<IncomingMessage, Promise<Body>>()

/**
 * The body of an order to the admin API, 64 KiB at most; the same each time it is asked for. Rejects `INVALID_REQUEST` where it is no JSON
 * object, or not sent as one.
 */
export function jsonBody(request: IncomingMessage): Promise<Body> {
  let body = read.get(request)
  if (body === undefined) {
    body = parsed(request)
    read.set(request, body)
  }
  return body
}

async function parsed(request: IncomingMessage): Promise<Body> {
  // A page in a browser can send any other type to a gateway without keys, and must not be able to.
  if (!/^application\/json *(;|$)/i.test(request.headers['content-type'] ?? ''))
    throw new SwitchyardError('INVALID_REQUEST', 'send the body as content-type: application/json')
  return parseObject(await readBody(request, MAX_BODY_BYTES))
}
