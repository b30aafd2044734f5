import { SwitchyardError, secret } from '@switchyard/contract'
import { detailIn, gatewayAt } from './gateway-at.ts'

/** The admin API of a gateway that runs. */
export interface AdminClient {
  /** Rejects `UPSTREAM_REJECTED` with what the gateway says, where it is no 2xx. */
  ask(method: string, path: string, body?: object): Promise<AdminReply>
  close(): Promise<void>
}

export interface AdminReply {
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly text: string
}

const MAX_BYTES = 268_435_456
const DEFAULT_URL = 'http://127.0.0.1:8080'

/**
 * Speaks with a gateway, by default the one of this machine, with the key in `SWITCHYARD_ADMIN_KEY`; one of this machine may need none. The
 * URL is the operator's own word, so that addresses of any class are dialled; over plain HTTP only those of this machine, or the key could
 * be read on the way.
 */
export function adminClient(url: string = DEFAULT_URL): AdminClient {
  const { base, isNear, egress } = gatewayAt(url, 'an admin key', {
    maxResponseBytes: MAX_BYTES,
    headersTimeoutMs: 120_000,
    totalTimeoutMs: 300_000,
  })
  const given = process.env.SWITCHYARD_ADMIN_KEY
  const key = given === undefined || given === '' ? undefined : secret(given)
  if (key === undefined && !isNear)
    throw new SwitchyardError(
      'UNAUTHENTICATED',
      'set SWITCHYARD_ADMIN_KEY to an admin key of that gateway: a flag could be read by others',
    )
  return {
    async ask(method, path, body) {
      const reply = await egress.request(new URL(path, base), {
        method,
        headers: {
          ...(key !== undefined && { authorization: `Bearer ${key.reveal()}` }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
      const text = Buffer.from(await reply.body.bytes()).toString('utf8')
      if (reply.status < 300) return { headers: reply.headers as AdminReply['headers'], text }
      throw new SwitchyardError('UPSTREAM_REJECTED', `the gateway answered ${reply.status}: ${detailIn(text)}`)
    },
    close: () => egress.close(),
  }
}
