import type { Principal } from '@switchyard/contract'
import type { Kind } from './authenticate.ts'
import type { Checked } from './key-check.ts'
import type { StoredKey } from './key-row.ts'
import { readKeyText } from './key-text.ts'
import { sourcesOf } from './sources.ts'

/** Keys of the database as a kind of credential. */
export function keyKind(check: (text: string) => Promise<Checked>, ttlMs: number): Kind {
  return {
    ttlMs,
    claimed: (text) => readKeyText(text)?.id,
    async check(text) {
      const checked = await check(text)
      if ('refused' in checked) return checked.refused
      const { stored, used, endsAt } = checked
      const { record } = stored
      return {
        principal: principalOf(stored),
        class: record.class,
        id: record.id,
        digest: used.digest,
        sources: sourcesOf(record.sources),
        endsAt,
      }
    },
  }
}

function principalOf({ record }: StoredKey): Principal {
  const { tenant, id, team, user, roles, models, endpoints } = record
  return Object.freeze({
    tenant,
    keyId: id,
    ...(team !== undefined && { team }),
    ...(user !== undefined && { user }),
    roles,
    scopes: Object.freeze({ models, endpoints }),
  })
}
