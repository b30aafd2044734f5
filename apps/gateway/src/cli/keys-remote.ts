import { type IssuedKey, type KeyRecord, type Keys, type Secret, SwitchyardError, secret } from '@switchyard/contract'
import { detailIn, gatewayAt } from './gateway-at.ts'

/** What the command line does with keys, wherever they are kept. */
export type KeysAt = Pick<Keys, 'create' | 'list' | 'rotate' | 'revoke'>

const MAX_BYTES = 4_194_304

/**
 * The keys of a gateway that runs elsewhere, over its admin API. The URL is the operator's own word, so that addresses of any class are
 * dialled; over plain HTTP only those of this machine, or the admin key would be read on the way.
 */
export function remoteKeys(url: string, adminKey: Secret): KeysAt & { close(): Promise<void> } {
  const { base, egress } = gatewayAt(url, 'an admin key', { maxResponseBytes: MAX_BYTES, totalTimeoutMs: 30_000 })

  async function ask(method: string, path: string, body?: object): Promise<Record<string, unknown>> {
    const reply = await egress.request(new URL(`/admin/keys${path}`, base), {
      method,
      headers: {
        authorization: `Bearer ${adminKey.reveal()}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = Buffer.from(await reply.body.bytes()).toString('utf8')
    if (reply.status < 300) return JSON.parse(text) as Record<string, unknown>
    throw new SwitchyardError('UPSTREAM_REJECTED', `the gateway answered ${reply.status}: ${detailIn(text)}`)
  }

  async function issued(asked: Promise<Record<string, unknown>>): Promise<IssuedKey> {
    const { key, ...record } = await asked
    return { record: record as unknown as KeyRecord, key: secret(key as string) }
  }

  return {
    create: (input, change) => issued(ask('POST', '', { ...input, ...change })),
    rotate: (id, overlapMs, change) => issued(ask('POST', `/${encodeURIComponent(id)}/rotate`, { overlapMs, ...change })),
    revoke: async (id, change) =>
      (await ask('POST', `/${encodeURIComponent(id)}/revoke`, { ...change })) as unknown as KeyRecord,
    async list({ after, ...filter } = {}) {
      const query = new URLSearchParams()
      for (const [name, value] of Object.entries(filter)) if (value !== undefined) query.set(name, String(value))
      if (after !== undefined) query.set('cursor', Buffer.from(after).toString('base64url'))
      return (await ask('GET', `?${query}`)).data as readonly KeyRecord[]
    },
    close: () => egress.close(),
  }
}
