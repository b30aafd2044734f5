import { readFileSync } from 'node:fs'
import { basePrice, seedCatalog } from '../src/index.ts'

/** One row of a golden file: prices in USD per million tokens. */
interface Golden {
  readonly provider: string
  readonly model: string
  readonly input: number
  readonly output: number
  readonly cacheRead?: number
  readonly context?: number
}

const PICO_PER_USD_PER_MILLION = 1_000_000

const path = process.argv[2]
if (path === undefined) {
  console.error('usage: node --conditions=@switchyard/source packages/catalog/scripts/golden.ts FILE')
  process.exit(2)
}
const rows = JSON.parse(readFileSync(path, 'utf8')) as readonly Golden[]
const catalog = seedCatalog()
const counts = { rows: rows.length, found: 0, equal: 0, different: 0, missing: 0, contextKnown: 0, contextEqual: 0 }
for (const row of rows) {
  const name = `${row.provider}/${row.model}`
  const entry = catalog.lookup(name)
  const price = entry === undefined ? undefined : basePrice(entry)
  if (entry === undefined || price === undefined) {
    counts.missing++
    console.log(`missing    ${name}${entry === undefined ? '' : ' (known, unpriced)'}`)
    continue
  }
  counts.found++
  const wrong = (['input', 'output', 'cacheRead'] as const).filter((field) => !agrees(row[field], price[field]))
  if (wrong.length === 0) counts.equal++
  else {
    counts.different++
    console.log(`different  ${name}: ${wrong.map((field) => `${field} ${usd(price[field])}, golden ${row[field]}`).join('; ')}`)
  }
  if (row.context === undefined || entry.limits.context === undefined) continue
  counts.contextKnown++
  if (entry.limits.context === row.context) counts.contextEqual++
  else console.log(`context    ${name}: ${entry.limits.context}, golden ${row.context}`)
}
const share = ((100 * counts.equal) / Math.max(1, counts.found)).toFixed(1)
console.log(`${counts.rows} rows: ${counts.found} found, ${counts.equal} equal (${share} %), ${counts.different} different`)
console.log(`${counts.missing} missing; context known of ${counts.contextKnown}, equal ${counts.contextEqual}`)
process.exitCode = counts.equal >= counts.found * 0.99 ? 0 : 1

/** Within half a per cent; a cache price that only one side has is no difference. */
function agrees(golden: number | undefined, ours: number | undefined): boolean {
  if (golden === undefined || golden === 0) return true
  if (ours === undefined) return false
  return Math.abs(ours - golden * PICO_PER_USD_PER_MILLION) <= golden * PICO_PER_USD_PER_MILLION * 0.005
}

function usd(pico: number | undefined): string {
  return pico === undefined ? 'unknown' : String(pico / PICO_PER_USD_PER_MILLION)
}
