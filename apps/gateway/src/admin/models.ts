import { catalog } from '@switchyard/catalog'
import { SwitchyardError } from '@switchyard/contract'
import { systemClock } from '@switchyard/kernel'
import { findModels } from '../catalog/model-query.ts'
import { modelRow } from '../catalog/model-row.ts'
import type { AdminRequest } from './admin-route.ts'
import { onlyKnown, pageOf } from './query.ts'

const FILTERS = ['capability', 'modality', 'provider', 'maxPrice', 'minContext', 'q', 'deprecated', 'limit', 'cursor'] as const

/** `GET /admin/models`: what the catalog knows, filtered and by pages, in order of id. */
export function listCatalog({ exchange, parts, query }: AdminRequest): void {
  const { limit, cursor, deprecated, ...filters } = onlyKnown(query, FILTERS)
  const [source] = parts.kernel.all(catalog).values()
  if (source === undefined) throw new SwitchyardError('NOT_FOUND', 'no plugin of the assembly provides the port catalog')
  const current = source.current()
  const now = systemClock.now()
  const found = findModels(current, { ...filters, deprecated: deprecated === 'true' }, now)
  const inOrder = found.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  const { data, nextCursor } = pageOf(inOrder, { limit, cursor })
  exchange.json(200, {
    object: 'list',
    catalogVersion: current.version,
    total: found.length,
    data: data.map((entry) => modelRow(entry, now)),
    nextCursor,
  })
}
