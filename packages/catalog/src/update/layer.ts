import { CAPABILITIES, type Capability, type Entry, type Limits, type PriceRow, type Provenance } from '../entry.ts'
import { near } from '../merge/judge.ts'
import { basePrice } from '../price/price.ts'

/**
 * One entry of two layers: what the upper one knows wins. What it only inherited from another provider gives way to what the lower one
 * knows itself. Prices come whole from the upper layer if it has any; where its base price is the lower one's, details that it lacks are kept.
 */
export function layered(lower: Entry, upper: Entry): Entry {
  const borrowed = new Set(upper.provenance.inherited)
  const known = new Set(lower.provenance.inherited)
  const takesLower = (field: string): boolean => borrowed.has(field) && !known.has(field)
  const caps: Partial<Record<Capability, boolean | null>> = {}
  for (const name of CAPABILITIES) {
    const [below, above] = [lower.caps[name], upper.caps[name]]
    caps[name] = above === null || (takesLower(name) && below !== null) ? below : above
  }
  const limits: { -readonly [K in keyof Limits]: Limits[K] } = { ...lower.limits }
  for (const field of ['context', 'input', 'output'] as const) {
    const above = upper.limits[field]
    if (above !== undefined && !(takesLower(field) && lower.limits[field] !== undefined)) limits[field] = above
  }
  const { prices, same } = pricesOf(lower, upper)
  const blank = upper.modalities.input.length === 0 || (takesLower('modalities') && lower.modalities.input.length > 0)
  return Object.freeze({
    ...lower,
    ...upper,
    ...(lower.name === undefined || upper.name !== undefined ? {} : { name: lower.name }),
    aliases: [...new Set([...upper.aliases, ...lower.aliases])].sort(),
    route: upper.route.via === 'unknown' ? lower.route : upper.route,
    limits,
    modalities: blank ? lower.modalities : upper.modalities,
    caps: Object.freeze(caps) as Entry['caps'],
    prices,
    free: upper.free || (lower.free && upper.prices.length === 0),
    lifecycle: {
      ...lower.lifecycle,
      ...upper.lifecycle,
      status: upper.lifecycle.status === 'unknown' ? lower.lifecycle.status : upper.lifecycle.status,
    },
    provenance: provenanceOf(lower, upper, same),
  })
}

function pricesOf(lower: Entry, upper: Entry): { readonly prices: readonly PriceRow[]; readonly same: boolean } {
  if (upper.free) return { prices: [], same: lower.free }
  if (upper.prices.length === 0) return { prices: lower.prices, same: false }
  const [below, above] = [basePrice(lower), basePrice(upper)]
  const same = below !== undefined && above !== undefined && near(below.input, above.input) && near(below.output, above.output)
  const history = lower.prices.filter(({ until }) => until !== undefined)
  const kept = history.filter(
    (row) => !upper.prices.some((one) => one.until === row.until && conditionsOf(one) === conditionsOf(row)),
  )
  if (!same) return { prices: [...kept, ...upper.prices], same }
  const filled = upper.prices.map((row) => {
    const old = lower.prices.find((one) => one.until === undefined && conditionsOf(one) === conditionsOf(row))
    return old === undefined
      ? row
      : { ...row, perToken: { ...old.perToken, ...row.perToken }, perUnit: { ...old.perUnit, ...row.perUnit } }
  })
  const groups = new Set(upper.prices.map(({ tier, region }) => `${tier} ${region}`))
  const others = lower.prices.filter((row) => row.until === undefined && !groups.has(`${row.tier} ${row.region}`))
  return { prices: [...kept, ...filled, ...others], same }
}

/**
 * What a row holds under, dates left out, as one text. Thresholds are named by the thousand: sources differ by one on which side of it
 * 272,000 itself lies.
 */
export function conditionsOf({ tier, region, contextOver, hours }: PriceRow): string {
  const over = contextOver === undefined ? '' : ` >${Math.round(contextOver / 1000)}k`
  return `${tier} ${region}${over}${hours === undefined ? '' : ` ${JSON.stringify(hours)}`}`
}

function provenanceOf({ provenance: lower }: Entry, { provenance: upper, prices, free }: Entry, same: boolean): Provenance {
  const priced = prices.length > 0 || free
  return {
    asOf: [upper.asOf, lower.asOf].sort().at(-1) as string,
    sources: [...new Set([...upper.sources, ...lower.sources])],
    confidence: !priced ? lower.confidence : same && upper.confidence === 'single' ? 'agreed' : upper.confidence,
    conflicts: [...upper.conflicts, ...(priced ? [] : lower.conflicts)],
    inherited: upper.inherited.filter((field) => lower.inherited.includes(field)),
  }
}
