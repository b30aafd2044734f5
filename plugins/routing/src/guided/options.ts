import { z } from 'zod'
import type { Scores } from '../strategies/scores.ts'

/** Stickiness of a route's sessions. */
export interface SessionSettings {
  readonly ttlMs: number
  readonly maxSessions: number
  readonly expectedTurns: number
  readonly margin: number
}

/** What the strategy `learned` stands on. */
export interface LearnedSettings {
  readonly artefact: string
  readonly models: Readonly<Record<string, string>>
  readonly answer?: 'label' | 'number' | 'call' | 'text' | undefined
  readonly reloadMs: number
  readonly cheapTimeoutMs: number
  readonly streamTokens: number
}

/** The reference in the background. */
export interface ShadowSettings {
  readonly percent: number
  readonly minAgreement: number
  readonly risk: number
  readonly timeoutMs: number
  readonly maxInFlight: number
}

/** Members of a route beside its targets that steer by money and quality. */
export interface GuidedOptions {
  readonly scores?: Scores | undefined
  readonly budget?:
    | { readonly over: string; readonly preferAt: number; readonly cheapestAt: number; readonly hysteresis: number }
    | undefined
  readonly maxFirstTokenMs?: number | undefined
  readonly session?: SessionSettings | undefined
  readonly learned?: LearnedSettings | undefined
  readonly shadow?: ShadowSettings | undefined
  readonly baseline?: string | undefined
  readonly controlPercent?: number | undefined
}

type Loose<T, K extends keyof T> = Omit<T, K> & { readonly [N in K]?: T[N] | undefined }

/** The same as it is written. */
export interface GuidedInput {
  readonly scores?: Loose<Scores, 'belowFloorTenants'> | undefined
  readonly budget?: Partial<NonNullable<GuidedOptions['budget']>> | undefined
  readonly maxFirstTokenMs?: number | undefined
  readonly session?: Partial<SessionSettings> | undefined
  readonly learned?: Loose<LearnedSettings, 'models' | 'reloadMs' | 'cheapTimeoutMs' | 'streamTokens'> | undefined
  readonly shadow?: Partial<ShadowSettings> | undefined
  readonly baseline?: string | undefined
  readonly controlPercent?: number | undefined
}

const share = z.number().min(0).max(1)
const ms = z.int().min(1)

const scores = z.strictObject({
  asOf: z.iso.date().describe('When the scores were measured'),
  source: z.string().min(1).describe('Who measured them, and how'),
  byClass: z
    .record(z.string().min(1), z.record(z.string().min(1), share))
    .describe('Scores from 0 to 1 by kind of question (tools, schema, label, number, chat, or * for the rest), then by model'),
  floor: share.optional().describe('Targets with a lower score, or none, are left out'),
  belowFloorTenants: z.array(z.string().min(1)).default([]).describe('Tenants that the floor does not hold for, as they asked'),
})

const budget = z.strictObject({
  over: z.string().min(1).default('priority').describe('The strategy while there is money'),
  preferAt: share.default(0.8).describe('Share of the most used budget from which on cheaper targets are preferred'),
  cheapestAt: share.default(0.95).describe('Share from which on the cheapest target that is allowed comes first'),
  hysteresis: share.default(0.05).describe('How far the share must fall below a threshold before that ceases'),
})

const session = z.strictObject({
  ttlMs: ms.default(300_000).describe('How long a prompt cache keeps what was used; each use refreshes it'),
  maxSessions: z.int().min(1).max(1_000_000).default(10_000).describe('Sessions kept; the longest unused is forgotten first'),
  expectedTurns: z.number().min(1).max(64).default(8).describe('Turns of a session while none was seen to end'),
  margin: share.default(0.1).describe('Share of the cost of staying by which leaving must be cheaper'),
})

const learned = z.strictObject({
  artefact: z.string().min(1).describe('File that "switchyard route fit" wrote; read again when it changes'),
  models: z
    .record(z.string().min(1), z.string().min(1))
    .default({})
    .describe('The target, provider/model, of each name that the artefact uses; a name that is a target needs none'),
  answer: z
    .enum(['label', 'number', 'call', 'text'])
    .optional()
    .describe('What answers on this route are, where the request cannot say; without it only tools and JSON compare'),
  reloadMs: z.int().min(100).default(30_000).describe('How often the file is looked at'),
  cheapTimeoutMs: ms.default(15_000).describe('How long the cheap models of a cascade may take before the strong one is asked'),
  streamTokens: z
    .int()
    .min(0)
    .default(64)
    .describe('A stream whose reply may have no more tokens than this may be answered by a cascade, whole; 0 = never'),
})

const shadow = z.strictObject({
  percent: z.number().min(0).max(100).default(3).describe('Share of comparable calls that the reference answers too, unseen'),
  minAgreement: share
    .default(0.9)
    .describe('Share of answers on which an arm must agree with the reference; it is off once it is shown not to'),
  risk: z.number().gt(0).lt(1).default(0.05).describe('Chance that a good arm is ever turned off'),
  timeoutMs: ms.default(60_000).describe('How long such a call may take'),
  maxInFlight: z.int().min(1).default(8).describe('Such calls at once; what comes above is left out'),
})

/** Fields of a route's schema. */
export const guidedFields: Readonly<Record<keyof GuidedOptions, z.ZodType>> = {
  scores: scores.optional().describe('Scores of the models: for `quality-per-price`, and for a floor under any strategy'),
  budget: budget.optional().describe('For `budget-aware`'),
  maxFirstTokenMs: ms.optional().describe('Latency cap of `provider`: slower targets come after the others of their model'),
  session: session.optional().describe('Calls of one session stay where their prompt is cached, unless leaving is cheaper'),
  learned: learned.optional().describe('For `learned`'),
  shadow: shadow
    .optional()
    .describe('Asks the reference too for a share of calls, and turns arms off that disagree; default off'),
  baseline: z
    .string()
    .optional()
    .describe('The target, provider/model, that would serve without routing: savings are counted against it'),
  controlPercent: z
    .number()
    .min(0)
    .max(100)
    .optional()
    .describe('Share of sessions served by the baseline, drawn at random, so that savings are measured: 1 to 5'),
}

/** What of a route contradicts itself; undefined where nothing does. */
export function contradiction(
  { scores: table, budget: money, learned: fitted, shadow: guard, baseline, controlPercent }: GuidedOptions,
  strategy: string,
  targets: readonly { readonly model: string }[],
): string | undefined {
  if (strategy === 'quality-per-price' && table === undefined) return 'the strategy quality-per-price needs scores'
  if (strategy === 'learned' && fitted === undefined) return 'the strategy learned needs learned.artefact'
  if (fitted !== undefined && strategy !== 'learned') return 'learned goes with the strategy learned'
  if (money !== undefined && strategy !== 'budget-aware') return 'budget goes with the strategy budget-aware'
  if (money?.over === 'budget-aware' || money?.over === 'learned') return `budget-aware does not go over ${money.over}`
  if (money?.over === 'quality-per-price' && table === undefined) return 'the strategy quality-per-price needs scores'
  if (money !== undefined && money.preferAt > money.cheapestAt) return 'budget.preferAt lies above budget.cheapestAt'
  if (guard !== undefined && fitted === undefined) return 'shadow goes with the strategy learned'
  if (controlPercent !== undefined && baseline === undefined) return 'controlPercent needs a baseline'
  if (baseline !== undefined && !targets.some(({ model }) => model === baseline)) return 'the baseline must be a target'
  return undefined
}
