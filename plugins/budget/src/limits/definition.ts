import { z } from 'zod'
import { nanoUsd } from '../money.ts'
import { isTimeZone } from './window.ts'

/** What a budget is counted by. */
export const LEVELS: readonly ['org', 'team', 'key', 'user', 'model', 'provider', 'tag', 'session'] = [
  'org',
  'team',
  'key',
  'user',
  'model',
  'provider',
  'tag',
  'session',
]

export type BudgetLevel = (typeof LEVELS)[number]

/** A budget as written, every default filled in; described in {@link budgetDefinition}. */
export interface BudgetDefinition {
  readonly name: string
  readonly level: BudgetLevel
  readonly tag?: string | undefined
  readonly match?: string | readonly string[] | undefined
  readonly tenants?: readonly string[] | undefined
  readonly window: 'day' | 'week' | 'month' | 'total'
  readonly timeZone: string
  readonly limitUsd: string | number
  readonly thresholds: readonly number[]
  readonly hard: boolean
  readonly onExceed: 'block' | 'down-route'
  readonly whenStoreAway?: 'closed' | 'open' | 'lease' | undefined
  readonly rollover?: { readonly maxUsd: string | number } | undefined
}

/** A budget as a user writes it: all but name, level and limit may be left out. */
export type BudgetDefinitionInput = Pick<BudgetDefinition, 'name' | 'level' | 'limitUsd'> & {
  readonly [K in keyof BudgetDefinition]?: BudgetDefinition[K] | undefined
}

/** An amount in USD with at most nine decimals. */
export const usdAmount: z.ZodType<string | number, string | number> = z
  .union([z.string(), z.number()])
  .refine((value) => nanoUsd(value) !== undefined, 'an amount in USD from 0 with at most nine decimals, such as "12.50"')

/** The schema of one budget. Strict: an unknown key is an error. */
export const budgetDefinition: z.ZodType<BudgetDefinition, BudgetDefinitionInput> = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'letters, digits, dots, dashes and underscores, at most 64')
      .describe('Names the budget in errors, headers, alerts and counters.'),
    level: z
      .enum(LEVELS)
      .describe('What it is counted by; `org` is the tenant. A call without a value at that level falls under no such budget.'),
    tag: z.string().min(1).max(64).optional().describe('Name of the tag, at level `tag`; the client sends tags as metadata.'),
    match: z
      .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
      .optional()
      .describe('Values it is for, each counted by itself; a final `*` matches any rest. Left out: every value.'),
    tenants: z.array(z.string().min(1)).min(1).optional().describe('Tenants it is for. Left out: all, each counted by itself.'),
    window: z.enum(['day', 'week', 'month', 'total']).default('month').describe('Calendar window after which it begins anew.'),
    timeZone: z
      .string()
      .refine(isTimeZone, 'a time zone such as "Europe/Berlin"')
      .default('UTC')
      .describe('IANA time zone of the window.'),
    limitUsd: usdAmount.describe('What may be spent in a window, in USD; text is read digit by digit.'),
    thresholds: z
      .array(z.number().positive().max(10))
      .default([0.5, 0.8, 0.95, 1])
      .describe('Parts of the limit whose crossing raises one alert each.'),
    hard: z.boolean().default(true).describe('Refuses calls that do not fit; a soft one only counts and alerts.'),
    onExceed: z
      .enum(['block', 'down-route'])
      .default('block')
      .describe('`down-route` lets the call go on to its next alternative before it is refused.'),
    whenStoreAway: z
      .enum(['closed', 'open', 'lease'])
      .optional()
      .describe(
        'While the counters cannot be asked: `closed` refuses, `open` serves and alerts, `lease` spends a slice taken beforehand. Left out: closed for hard budgets, open for soft ones.',
      ),
    rollover: z
      .strictObject({ maxUsd: usdAmount.describe('The most that is added, in USD.') })
      .optional()
      .describe("Adds what was left of the last window's limit to the next one."),
  })
  .refine(({ level, tag }) => (level === 'tag') === (tag !== undefined), {
    path: ['tag'],
    message: 'name the tag at level `tag`, and only there',
  })
