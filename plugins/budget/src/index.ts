export type { BudgetAlert } from './alerts/sinks.ts'
export type { BudgetCrossed } from './events.ts'
export type { LedgerColumn } from './ledger/columns.ts'
export { type Ledger, type LedgerQuery, type LedgerRow, ledger } from './ledger/port.ts'
export { type BudgetAdmin, budgetAdmin, type ListedBudget } from './limits/budget-admin.ts'
export { type BudgetDefinition, type BudgetDefinitionInput, type BudgetLevel, budgetDefinition } from './limits/definition.ts'
export type { BudgetInput, BudgetOptions } from './options.ts'
export { budget } from './plugin.ts'
export { signedUsd } from './reports/amounts.ts'
export type { Anomaly, Episode } from './reports/anomalies.ts'
export { isDimension, isFilter } from './reports/dimensions.ts'
export {
  FOCUS_COLUMNS,
  type FocusColumn,
  type FocusRow,
  type FocusVersion,
  focusColumns,
  focusCsv,
} from './reports/focus-columns.ts'
export type { Forecast, ForecastMethod } from './reports/forecast.ts'
export type { BudgetForecast } from './reports/forecast-reader.ts'
export { costInstant, costMonth } from './reports/instants.ts'
export {
  type AnomalyQuery,
  type CostDimension,
  type CostFigures,
  type CostFilter,
  type CostForecast,
  type CostGroup,
  type CostQuery,
  type CostRange,
  type CostReport,
  type CostRows,
  type Costs,
  costs,
  DIMENSIONS,
  type ForecastQuery,
  type PlainDimension,
} from './reports/port.ts'
export { reportCsv } from './reports/report-csv.ts'
export type { Savings } from './reports/savings.ts'
export type { MeasuredSaving } from './reports/savings-measured.ts'
export type { Levers, ModelledSaving } from './reports/savings-modelled.ts'
