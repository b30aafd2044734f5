import { type Catalog, type Entry, price } from '@switchyard/catalog'
import { partsJson } from '../attempt/outcome.ts'
import { microOfPico, nanoOfPico, storable } from '../money.ts'
import { AT, type Cell, type Opening, type Row } from './columns.ts'

/**
 * The row of an attempt whose end nobody knows, at the cost that was expected of it. What had to hold nothing was not priced before it was
 * sent and is now, for so many output tokens.
 */
export function unsettledRow(opening: Opening, now: number, catalog: Catalog, outputTokens: number): Row {
  const known = opening[AT.expected_pusd]
  const model = String(opening[AT.model])
  const entry = catalog.get(model) ?? catalog.lookup(model)
  const usage = { inputTokens: Number(opening[AT.input_estimate] ?? 0), outputTokens }
  const cost = known === null && entry !== undefined ? priceOf(entry, usage, Number(opening[AT.at_ms])) : null
  const pico = known === null || known === undefined ? cost?.pico : BigInt(known)
  const nano = pico === undefined ? BigInt(opening[AT.held_nusd] ?? 0) : nanoOfPico(pico)
  const outcome: readonly Cell[] = [
    'unsettled',
    now,
    'unknown',
    'none',
    null,
    null,
    null,
    null,
    partsJson(cost),
    pico === undefined ? null : storable(pico),
    pico === undefined ? null : storable(microOfPico(pico)),
    storable(nano),
    pico === undefined ? 'all' : null,
    catalog.version,
    null,
    null,
    null,
    null,
    null,
    null,
  ]
  return [...opening, ...outcome]
}

function priceOf(entry: Entry, usage: { readonly inputTokens: number; readonly outputTokens: number }, at: number) {
  const cost = price(entry, usage, { at })
  return cost === null || cost.unknown.length > 0 ? null : cost
}
