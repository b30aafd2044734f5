import { z } from 'zod'
import { contradiction, type GuidedInput, type GuidedOptions, guidedFields } from './guided/options.ts'

/** The strategies of this plugin. */
export const STRATEGY_NAMES = [
  'priority',
  'weighted',
  'least-busy',
  'latency',
  'price',
  'cheapest',
  'quality-per-price',
  'budget-aware',
  'provider',
  'learned',
] as const

/** How the targets of a route are put in order: a strategy of this plugin, or the instance of a plugin that provides one. */
export type StrategyName = (typeof STRATEGY_NAMES)[number] | (string & {})

/** When a target is a candidate at all: every member that is given must hold. */
export interface Condition {
  readonly metadata?: Readonly<Record<string, string | readonly string[]>> | undefined
  readonly tenants?: readonly string[] | undefined
  readonly teams?: readonly string[] | undefined
  readonly inputTokensOver?: number | undefined
  readonly inputTokensUpTo?: number | undefined
  readonly tools?: boolean | undefined
  readonly vision?: boolean | undefined
  readonly jsonSchema?: boolean | undefined
  readonly stream?: boolean | undefined
}

/** One model at one provider. */
export interface TargetOptions {
  readonly model: string
  readonly via?: string | undefined
  readonly weight: number
  readonly canaryPercent?: number | undefined
  readonly when?: Condition | undefined
  readonly quantisation?: string | undefined
}

/** What one public name stands for. */
export interface RouteOptions extends GuidedOptions {
  readonly strategy: StrategyName
  readonly targets: readonly TargetOptions[]
  readonly stickyBy?: string | undefined
}

/** Options as validated. */
export interface RoutingOptions {
  readonly routes: Readonly<Record<string, RouteOptions>>
  readonly checkCapabilities: boolean
  readonly expectedOutputTokens: number
}

/** One public name as it is written. */
export interface RouteInput extends GuidedInput {
  readonly strategy?: StrategyName | undefined
  readonly targets: readonly (string | (Omit<TargetOptions, 'weight'> & { readonly weight?: number | undefined }))[]
  readonly stickyBy?: string | undefined
}

/** What `routing({ ... })` takes; README has the defaults. */
export interface RoutingInput {
  readonly routes?: Readonly<Record<string, RouteInput>> | undefined
  readonly checkCapabilities?: boolean | undefined
  readonly expectedOutputTokens?: number | undefined
}

const text = z.string().min(1)
const flag = z.boolean().optional()
const tokens = z.int().min(0).optional()

const condition = z.strictObject({
  metadata: z
    .record(text, z.union([z.string(), z.array(z.string()).min(1)]))
    .optional()
    .describe("The request's `metadata` has this value, or one of these, under each key"),
  tenants: z.array(text).min(1).optional().describe('The caller is of one of these tenants'),
  teams: z.array(text).min(1).optional().describe('The caller is of one of these teams'),
  inputTokensOver: tokens.describe('The prompt is estimated at more tokens than this'),
  inputTokensUpTo: tokens.describe('The prompt is estimated at no more tokens than this'),
  tools: flag.describe('The request offers tools, or does not'),
  vision: flag.describe('The request holds images, or does not'),
  jsonSchema: flag.describe('The request asks for a JSON schema, or does not'),
  stream: flag.describe('The reply is to be streamed, or is not'),
})

const model = z.string().regex(/^[^/\s]+\/\S+$/, 'a target is named provider/model, such as openai/gpt-5.4')

const target = z.strictObject({
  model: model.describe('Catalog id, `provider/model`'),
  via: text.optional().describe('Plugin instance that is to serve it; default: the first that declares the model'),
  weight: z.number().min(0).max(1_000_000).default(1).describe('Share of traffic, for `weighted`; 0 = only when others fail'),
  canaryPercent: z
    .number()
    .min(0)
    .max(100)
    .optional()
    .describe('Comes first for this share of calls, in percent, and last for all others'),
  when: condition.optional().describe('Only for requests of which all of this holds'),
  quantisation: text
    .optional()
    .describe('How the weights are kept there, such as fp8: `provider` takes only targets alike in this for the same model'),
})

const short = model.transform((name): TargetOptions => ({ model: name, weight: 1 }))

/** The schema of one route. */
export const routeOptions: z.ZodType<RouteOptions, RouteInput> = z
  .strictObject({
    strategy: text
      .default('priority')
      .describe('How targets are put in order: one of this plugin, or the name of an instance that provides a strategy'),
    targets: z
      .array(z.union([short, target]))
      .min(1)
      .describe('Models that may serve it, as `provider/model` or with settings'),
    stickyBy: z
      .string()
      .regex(/^(tenant|team|user|key|metadata\..+)$/, 'one of tenant, team, user, key, metadata.NAME')
      .optional()
      .describe('Calls alike in this go to the same target while it is well: `tenant`, `team`, `user`, `key`, `metadata.NAME`'),
    ...guidedFields,
  })
  .superRefine((route, context) => {
    const wrong = contradiction(route as unknown as RouteOptions, route.strategy, route.targets)
    if (wrong !== undefined) context.addIssue({ code: 'custom', message: wrong })
  })
  .refine(
    ({ stickyBy, strategy, targets }) =>
      stickyBy === undefined ||
      strategy === 'weighted' ||
      !['priority', 'least-busy', 'latency', 'price', 'cheapest', 'learned'].includes(strategy) ||
      targets.some((target) => typeof target === 'object' && target.canaryPercent !== undefined),
    'stickyBy goes with the strategy weighted or with a canary',
  )
  .refine(
    ({ targets }) => targets.some(({ canaryPercent }) => canaryPercent === undefined),
    'a route needs a target that is no canary',
  )
  .refine(
    ({ targets }) => targets.reduce((sum, { canaryPercent }) => sum + (canaryPercent ?? 0), 0) <= 100,
    'the canaries of a route have more than 100 percent together',
  ) as unknown as z.ZodType<RouteOptions, RouteInput>

/** The schema of the options. Strict: an unknown key is an error. */
export const routingOptions: z.ZodType<RoutingOptions, RoutingInput> = z.strictObject({
  routes: z
    .record(z.string().regex(/^[^/\s]+$/, 'a public name has no slash, so that no model is hidden by it'), routeOptions)
    .default({})
    .describe('Public names and what they stand for'),
  checkCapabilities: z
    .boolean()
    .default(true)
    .describe(
      'Refuse targets that the catalog knows to lack what a request needs: tools, images, JSON schema, room for the prompt',
    ),
  expectedOutputTokens: z
    .int()
    .min(1)
    .default(512)
    .describe(
      'Tokens of a reply that states no limit of its own, for `price`, and for other costs until enough replies were seen',
    ),
}) as unknown as z.ZodType<RoutingOptions, RoutingInput>
