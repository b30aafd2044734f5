import { z } from 'zod'
import { type AlertInput, type AlertOptions, type AnomalyOptions, alertOptions, anomalyOptions } from './alerts/options.ts'
import { type BudgetDefinition, type BudgetDefinitionInput, budgetDefinition, usdAmount } from './limits/definition.ts'

/** Options as validated; described in {@link budgetOptions}. */
export interface BudgetOptions {
  readonly budgets: readonly BudgetDefinition[]
  readonly journal?:
    | { readonly directory: string; readonly fsyncMs: number; readonly maxBytes: number; readonly whenFull: 'refuse' | 'serve' }
    | undefined
  readonly hold: 'worst' | 'p90'
  readonly unknownPriceUsd?: string | number | undefined
  readonly defaultMaxOutputTokens: number
  readonly defaultOutputTokens: number
  readonly leaseMs: number
  readonly graceMs: number
  readonly lateSettleMs: number
  readonly waitMs: number
  readonly storeTimeoutMs: number
  readonly sweepMs: number
  readonly refreshMs: number
  readonly compareMs: number
  readonly nodes: number
  readonly maxBufferedRows: number
  readonly headers: boolean
  readonly alerts: AlertOptions
  readonly anomalies: AnomalyOptions
}

type JournalInput = { readonly directory: string } & {
  readonly [K in keyof NonNullable<BudgetOptions['journal']>]?: NonNullable<BudgetOptions['journal']>[K] | undefined
}

/** Options as written: every field may be left out. */
export type BudgetInput = {
  readonly [K in Exclude<keyof BudgetOptions, 'budgets' | 'journal' | 'alerts' | 'anomalies'>]?: BudgetOptions[K] | undefined
} & {
  readonly budgets?: readonly BudgetDefinitionInput[] | undefined
  readonly journal?: JournalInput | undefined
  readonly alerts?: AlertInput | undefined
  readonly anomalies?: { readonly [K in keyof AnomalyOptions]?: AnomalyOptions[K] | undefined } | undefined
}

const DAY_MS = 86_400_000

/** The schema of the options. Strict: an unknown key is an error. */
export const budgetOptions: z.ZodType<BudgetOptions, BudgetInput> = z.strictObject({
  budgets: z
    .array(budgetDefinition)
    .default([])
    .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, 'every budget needs a name of its own')
    .describe('Budgets of the configuration; others come and go through the port `budget-admin`.'),
  journal: z
    .strictObject({
      directory: z.string().min(1).describe('Folder of the journals of this machine; made where it is missing.'),
      fsyncMs: z
        .int()
        .min(0)
        .max(60_000)
        .default(1_000)
        .describe('How long a record may wait for the disk itself, which only a power cut shows; 0 leaves it to the system.'),
      maxBytes: z
        .int()
        .min(65_536)
        .default(256 * 1024 * 1024)
        .describe('Bytes kept while the ledger cannot be written.'),
      whenFull: z
        .enum(['refuse', 'serve'])
        .default('refuse')
        .describe('Beyond maxBytes, or with a disk that takes nothing: refuse new attempts, or serve them unrecorded.'),
    })
    .optional()
    .describe('Where each attempt is written down before it is sent. Left out: a process that is killed loses its last rows.'),
  hold: z
    .enum(['worst', 'p90'])
    .default('worst')
    .describe('What is held: the most a call can cost, or nine of ten calls of its key and model; the latter may overshoot.'),
  unknownPriceUsd: usdAmount
    .optional()
    .describe('Held and charged for an attempt without a price, in USD. Left out: hard budgets refuse it.'),
  defaultMaxOutputTokens: z
    .int()
    .positive()
    .default(16_384)
    .describe('Most output tokens assumed where neither the request nor the catalog sets a limit.'),
  defaultOutputTokens: z
    .int()
    .min(0)
    .default(512)
    .describe(
      'Output tokens expected of a model before 20 answers were seen, where the request sets no higher limit: what an attempt is charged that never ended.',
    ),
  leaseMs: z.int().min(1_000).max(3_600_000).default(30_000).describe('Life of a hold; renewed while the attempt lives.'),
  graceMs: z.int().min(0).max(600_000).default(15_000).describe('Added to every lease, for clocks that differ.'),
  lateSettleMs: z
    .int()
    .min(0)
    .max(7 * DAY_MS)
    .default(DAY_MS)
    .describe('How long after its expiry a lease may still be settled.'),
  waitMs: z
    .int()
    .min(0)
    .max(60_000)
    .default(30_000)
    .describe(
      'How long a call waits in line where holds of others are all that is in its way, at most: its deadline ends it too, and a second where it may be routed down. 0 refuses at once.',
    ),
  storeTimeoutMs: z.int().min(1).max(60_000).default(500).describe('After so long a shared store counts as away.'),
  sweepMs: z
    .int()
    .min(100)
    .max(3_600_000)
    .default(10_000)
    .describe('How often expired leases and old journals are looked for.'),
  refreshMs: z.int().min(100).max(3_600_000).default(30_000).describe('How often the table of budgets is read again.'),
  compareMs: z
    .int()
    .min(1_000)
    .max(86_400_000)
    .default(60_000)
    .describe(
      'How often the counters are compared with the ledger, at most: a look takes no more than a fiftieth of the time.',
    ),
  nodes: z
    .int()
    .min(1)
    .max(10_000)
    .default(1)
    .describe('Nodes of the fleet: a slice is a quarter of the limit over all nodes.'),
  maxBufferedRows: z
    .int()
    .min(1)
    .default(100_000)
    .describe('Rows kept in memory while the ledger cannot be written; beyond it attempts are refused.'),
  headers: z.boolean().default(true).describe('Tells clients what a call cost and what is left, by `x-switchyard-` headers.'),
  alerts: alertOptions.prefault({}).describe('Where crossed thresholds and anomalies are told.'),
  anomalies: anomalyOptions.prefault({}).describe('The watch for hours that cost too much.'),
})
