import { type IssuedKey, type KeyRecord, type Keys, type Secret, SwitchyardError, secret } from '@switchyard/contract'
import { createEgress } from '@switchyard/egress'

/** What the command line does with keys, wherever they are kept. */
export type KeysAt = Pick<Keys, 'create' | 'list' | 'rotate' | 'revoke'>

const MAX_BYTES = 4_194_304

/**
 * The keys of a gateway that runs elsewhere, over its admin API. The URL is the operator's own word, so that addresses of any class are
 * dialled; over plain HTTP only those of this machine, or the admin key would be read on the way.
 */
export function remoteKeys(url: string, adminKey: Secret): KeysAt & { close(): Promise<void> } {
  const base = new URL(url)
  const near = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(base.hostname)
  if (base.protocol === 'http:' && !near)
    throw new SwitchyardError('INVALID_REQUEST', '--url: over http: an admin key could be read on its way; use https:')
  const egress = createEgress({
    schemes: ['https:', 'http:'],
    allow: ['127.0.0.0/8', '::1/128', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
    maxResponseBytes: MAX_BYTES,
    totalTimeoutMs: 30_000,
  })

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

function detailIn(text: string): string {
  try {
    const { detail, title } = JSON.parse(text) as { readonly detail?: unknown; readonly title?: unknown }
    return String(detail ?? title ?? 'without a reason').slice(0, 500)
  } catch {
    return 'nothing that an admin API says'
  }
}
