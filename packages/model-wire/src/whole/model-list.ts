import { type ModelCard, SwitchyardError } from '@switchyard/contract'

interface ListedModel {
  readonly id?: unknown
  readonly owned_by?: unknown
  readonly created?: unknown
}

/** The reply of `GET /models` as cards whose ids start with `prefix`. Throws `UPSTREAM_INVALID` for anything that is no such list. */
export function readModelList(body: Uint8Array, prefix: string, plugin: string): readonly ModelCard[] {
  let data: unknown
  try {
    data = (
      JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8')) as { data?: unknown } | null
    )?.data
  } catch {
    // told below
  }
  if (!Array.isArray(data))
    throw new SwitchyardError('UPSTREAM_INVALID', `${plugin}: GET /models gave no list of models`, { plugin })
  return (data as (ListedModel | null)[]).flatMap((listed) => {
    if (typeof listed?.id !== 'string') return []
    const ownedBy = typeof listed.owned_by === 'string' ? listed.owned_by : prefix.replace(/\/$/, '')
    return [{ id: `${prefix}${listed.id}`, ownedBy, ...(typeof listed.created === 'number' && { createdAt: listed.created }) }]
  })
}
