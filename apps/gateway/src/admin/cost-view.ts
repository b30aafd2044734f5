import {
  type Anomaly,
  type BudgetForecast,
  type CostFigures,
  type CostForecast,
  type CostReport,
  type Forecast,
  type MeasuredSaving,
  type Savings,
  signedUsd,
} from '@switchyard/budget'
import { rowsLink } from './cost-query.ts'

type View = Readonly<Record<string, unknown>>

const instant = (at: number | undefined): string | null => (at === undefined ? null : new Date(at).toISOString())

/** A report as JSON: exact USD as text, micro-USD as a whole number, and for each figure where its rows are. */
export function reportView({ from, to, timeZone, by, where, total, groups, groupCount }: CostReport): View {
  return {
    object: 'cost_report',
    from: instant(from),
    to: instant(to),
    timeZone,
    group: by,
    total: { ...figuresView(total), rows: rowsLink({ from, to, where }) },
    data: groups.map(({ values, figures, rows }) => ({ ...values, ...figuresView(figures), rows: rowsLink(rows) })),
    groupCount,
  }
}

function figuresView(figures: CostFigures): View {
  return {
    costUsd: signedUsd(figures.costPico),
    costMicroUsd: whole(figures.costMicro),
    chargedNanoUsd: whole(figures.chargedNano),
    attempts: figures.attempts,
    cacheHits: figures.cacheHits,
    corrections: figures.corrections,
    unpriced: figures.unpriced,
    estimated: figures.estimated,
    inputTokens: whole(figures.inputTokens),
    outputTokens: whole(figures.outputTokens),
    cacheSavedUsd: signedUsd(figures.cacheSavedPico),
  }
}

/** A forecast as JSON. USD are floats: estimates. */
export function forecastView({ month, budgets }: CostForecast): View {
  return { object: 'cost_forecast', month: stretchView(month), budgets: budgets.map(budgetView) }
}

function stretchView({ from, to, ...rest }: Forecast): View {
  return { from: instant(from), to: instant(to), ...rest }
}

function budgetView({ exhaustedAt, resetsAt, ...rest }: BudgetForecast): View {
  return { ...rest, exhaustedAt: instant(exhaustedAt), resetsAt: instant(resetsAt) }
}

/** Episodes as JSON, each with the rows of its hours. */
export function anomalyView({ startedAt, endedAt, ...rest }: Anomaly): View {
  const { tenant, by, value } = rest
  return {
    ...rest,
    startedAt: instant(startedAt),
    endedAt: instant(endedAt),
    rows: rowsLink({ from: startedAt, to: endedAt, where: { tenant, [by]: value } }),
  }
}

/** Savings as JSON: what was measured beside what was modelled, losses below 0. */
export function savingsView({ measured, modelled, isCut }: Savings): View {
  const { levers, baselinePico, actualPico, savedPico, residualPico, controlPico, ...rest } = modelled
  return {
    object: 'cost_savings',
    measured: measured.map((one: MeasuredSaving) => one),
    modelled: {
      baselineUsd: signedUsd(baselinePico),
      actualUsd: signedUsd(actualPico),
      savedUsd: signedUsd(savedPico),
      levers: {
        ...Object.fromEntries(Object.entries(levers).map(([name, pico]) => [name, signedUsd(pico)])),
        residual: signedUsd(residualPico),
      },
      controlUsd: signedUsd(controlPico),
      ...rest,
    },
    isCut,
  }
}

/** A row of the ledger as JSON: whole numbers that JSON's readers would round are text. */
export function rowView(row: Readonly<Record<string, unknown>>): View {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, typeof value === 'bigint' ? whole(value) : value]),
  )
}

function whole(value: bigint): number | string {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value.toString()
}
