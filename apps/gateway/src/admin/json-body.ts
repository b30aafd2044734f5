import type { IncomingMessage } from 'node:http'
import { SwitchyardError } from '@switchyard/contract'
import { parseObject, readBody } from '../server/body.ts'

const MAX_BODY_BYTES = 65_536

/** The body of an order to the admin API, 64 KiB at most. Rejects `INVALID_REQUEST` where it is no JSON object, or not sent as one. */
export async function jsonBody(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  // A page in a browser can send any other type to a gateway without keys, and must not be able to.
  if (!/^application\/json *(;|$)/i.test(request.headers['content-type'] ?? ''))
    throw new SwitchyardError('INVALID_REQUEST', 'send the body as content-type: application/json')
  return parseObject(await readBody(request, MAX_BODY_BYTES))
}
