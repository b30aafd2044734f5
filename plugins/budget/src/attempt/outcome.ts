import { type Cost, type PriceRow, price } from '@switchyard/catalog'
import type { ModelEnding, Usage } from '@switchyard/contract'
import { AT, type Cell, type Outcome } from '../ledger/columns.ts'
import { microOfPico, nanoOfPico, storable } from '../money.ts'
import type { Attempt } from './attempt.ts'
import { servedTier } from './tier.ts'

/** How an attempt ended, and what was used. */
export interface End {
  readonly at: number
  readonly outcome: ModelEnding['outcome']
  readonly usage: Usage
  readonly usageSource: ModelEnding['usageSource']
  readonly unreconciled: boolean
  /** As the reply names it. */
  readonly serviceTier?: string | undefined
}

/** An ended attempt in money. */
export interface Charged {
  readonly outcome: Outcome
  /** Nano-USD that its budgets are charged. */
  readonly nano: bigint
  /** Pico-USD; undefined where the price is not known. */
  readonly pico: bigint | undefined
}

export const NOTHING: Usage = Object.freeze({ inputTokens: 0, outputTokens: 0 })

const PRICE_ROWS = new WeakMap<PriceRow, string>()
const NO_PARTS = '{}'
/** Pico-USD, 10,000 USD: no attempt costs so much, whatever its upstream counts, and sums of so much still fit a column. */
const MOST_PICO = 10n ** 16n

/** Prices an end exactly. Without a price the cost is recorded as unknown, and `unknownNano` is charged. */
export function charge(attempt: Attempt, end: End, unknownNano: bigint): Charged {
  const { catalog, entry, at, baseline } = attempt
  const { usage, outcome, usageSource } = end
  const used = usageSource !== 'none'
  const tier = servedTier(attempt.tier, end.serviceTier)
  const cost = used && entry !== undefined ? price(entry, usage, { tier, at }) : undefined
  const isUnknown = used && (cost === null || cost === undefined || cost.unknown.length > 0)
  const known = capped(cost?.pico ?? 0n)
  const pico = isUnknown ? undefined : known
  const nano = isUnknown ? larger(unknownNano, nanoOfPico(known)) : nanoOfPico(known)
  const baselinePico = used && baseline !== undefined ? baselineCost(attempt, usage) : undefined
  const saved = baselinePico === undefined || pico === undefined ? undefined : baselinePico - pico
  return {
    nano,
    pico,
    outcome: [
      'attempt',
      end.at,
      outcome,
      usageSource,
      end.unreconciled || known === MOST_PICO ? 1 : null,
      usage.inputTokens,
      usage.outputTokens,
      used ? JSON.stringify(usage) : null,
      partsJson(cost),
      pico === undefined ? null : storable(pico),
      pico === undefined ? null : storable(microOfPico(pico)),
      storable(nano),
      isUnknown ? (cost?.unknown.join(' ') ?? 'all') : null,
      catalog.version,
      cost?.row === undefined ? null : priceRowName(cost.row),
      cost?.bound ?? null,
      baselinePico === undefined ? null : storable(baselinePico),
      saved === undefined ? null : storable(saved),
      saved === undefined ? null : 'routing',
      null,
    ],
  }
}

/** What another model would have cost for the same tokens. */
function baselineCost({ catalog, baseline, at }: Attempt, usage: Usage): bigint | undefined {
  const entry = baseline === undefined ? undefined : catalog.get(baseline)
  const cost = entry === undefined ? null : price(entry, usage, { at })
  return cost === null || cost.unknown.length > 0 ? undefined : capped(cost.pico)
}

/** An end whose counts are none: its cost is unknown, and what was expected of it is charged. */
export function chargeUncounted(attempt: Attempt, end: End, unknownNano: bigint): Charged {
  const expected = attempt.opening[AT.expected_pusd]
  const usual = expected === null || expected === undefined ? attempt.held : nanoOfPico(BigInt(expected))
  const nano = larger(unknownNano, usual)
  const { outcome } = charge(attempt, { ...end, usage: NOTHING, usageSource: 'none' }, unknownNano)
  const changed = [...outcome]
  const set = (column: keyof typeof AT, cell: Cell): void => {
    changed[AT[column] - AT.kind] = cell
  }
  for (const column of ['input_tokens', 'output_tokens', 'cost_parts', 'cost_pusd', 'cost_uusd'] as const) set(column, null)
  set('charged_nusd', storable(nano))
  set('unknown_parts', 'all')
  return { nano, pico: undefined, outcome: changed }
}

function capped(pico: bigint): bigint {
  return pico < MOST_PICO ? pico : MOST_PICO
}

/** Quantity and pico-USD each, by part: `{"input":[12,2500000]}`. */
export function partsJson(cost: Cost | null | undefined): Cell {
  if (cost === null || cost === undefined) return null
  if (cost.parts.length === 0) return NO_PARTS
  let json = ''
  for (const { part, quantity, each } of cost.parts)
    json += `${json === '' ? '{' : ','}${JSON.stringify(part)}:[${quantity},${each}]`
  return `${json}}`
}

/** Names a price within the catalog of a version: its tier, region, context step and beginning. */
export function priceRowName(row: PriceRow): string {
  let name = PRICE_ROWS.get(row)
  if (name === undefined) {
    name = `${row.tier}/${row.region}${row.contextOver === undefined ? '' : `/>${row.contextOver}`}${row.from === undefined ? '' : `/${row.from}`}`
    PRICE_ROWS.set(row, name)
  }
  return name
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}
