import { seedCatalog } from '@switchyard/catalog'
import { findModels, type ModelFilters } from '../catalog/model-query.ts'
import { type ModelRow, modelRow } from '../catalog/model-row.ts'
import { orFail } from './failure.ts'
import { table } from './table.ts'

export interface ModelsOptions extends Omit<ModelFilters, 'q'> {
  readonly query?: string
  readonly json: boolean
}

/** `switchyard models`: what the catalog that ships with the gateway knows, as a table or as JSON. Reads no configuration. */
export async function models({ query, json, ...filters }: ModelsOptions): Promise<void> {
  await orFail(async () => {
    const now = Date.now()
    const catalog = seedCatalog()
    const found = findModels(catalog, { ...filters, q: query }, now).map((entry) => modelRow(entry, now))
    if (json) {
      console.log(JSON.stringify({ catalogVersion: catalog.version, count: found.length, models: found }, null, 2))
      return
    }
    if (found.length > 0) console.log(table(HEAD, found.map(cells)))
    console.log(`${found.length} of ${catalog.size} models`)
  })
}

const HEAD = ['MODEL', 'KIND', 'CONTEXT', 'IN $/M', 'OUT $/M', 'CAPABILITIES']

function cells(row: ModelRow): readonly string[] {
  return [
    row.id,
    row.kind,
    row.contextTokens === null ? '-' : row.contextTokens.toLocaleString('en'),
    price(row.inputPrice),
    price(row.outputPrice),
    row.capabilities.join(' ') || '-',
  ]
}

function price(value: number | null): string {
  return value === null ? '-' : String(Number(value.toPrecision(6)))
}
