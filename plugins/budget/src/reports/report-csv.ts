import { signedUsd } from './amounts.ts'
import { type CsvCell, csvLine } from './csv.ts'
import type { CostFigures, CostReport } from './port.ts'

const FIGURES = [
  'cost_usd',
  'cost_micro_usd',
  'charged_nano_usd',
  'attempts',
  'cache_hits',
  'corrections',
  'unpriced',
  'estimated',
  'input_tokens',
  'output_tokens',
  'cache_saved_usd',
] as const

/** Groups as CSV, a head first; the total is the sum of the groups of all pages and no line of its own. */
export function reportCsv({ by, groups, total }: CostReport): string {
  if (by.length === 0) return csvLine(FIGURES) + csvLine(cellsOf(total))
  const lines = groups.map(({ values, figures }) => csvLine([...by.map((name) => values[name] ?? null), ...cellsOf(figures)]))
  return csvLine([...by, ...FIGURES]) + lines.join('')
}

function cellsOf(figures: CostFigures): readonly CsvCell[] {
  const digits = (value: bigint | number): CsvCell => ({ digits: String(value) })
  return [
    { digits: signedUsd(figures.costPico) },
    digits(figures.costMicro),
    digits(figures.chargedNano),
    digits(figures.attempts),
    digits(figures.cacheHits),
    digits(figures.corrections),
    digits(figures.unpriced),
    digits(figures.estimated),
    digits(figures.inputTokens),
    digits(figures.outputTokens),
    { digits: signedUsd(figures.cacheSavedPico) },
  ]
}
