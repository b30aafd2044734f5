import { MODEL_ENDPOINTS, type ModelEndpoint } from '@switchyard/contract'
import { z } from 'zod'

/** With whom a caller shares answers, the narrowest first. */
export const SCOPES = ['key', 'user', 'team', 'tenant', 'public'] as const
export type ScopeKind = (typeof SCOPES)[number]

/** Which answers may be given again: those that their caller wanted the same each time, or any. */
export const SAMPLINGS = ['zero', 'zero-or-unset', 'any'] as const
export type Sampling = (typeof SAMPLINGS)[number]

/** How requests of one kind are cached. */
export interface RouteSettings {
  readonly off: boolean
  readonly ttlMs: number
  readonly staleMs: number
  /** Undefined = what the likeness level has. */
  readonly epsilon: number | undefined
  readonly scope: ScopeKind
  readonly sampling: Sampling
  readonly tools: boolean
  readonly images: boolean
  readonly serverState: boolean
  readonly maxTurns: number
  readonly version: string
}

/** Settings of the requests that match. */
export interface ModelRoute extends RouteSettings {
  readonly name: string
  readonly match: { readonly models: readonly string[]; readonly endpoints: readonly ModelEndpoint[] | undefined }
}

/** Options as validated. */
export interface ModelOptions extends RouteSettings {
  /** Complete: what a route leaves out is taken from the options beside. */
  readonly routes: readonly ModelRoute[]
  readonly epoch: string
  readonly varyHeaders: readonly string[]
  readonly maxBodyBytes: number
  readonly maxReplyBytes: number
  readonly paceMs: number
  readonly tellSimilarity: boolean
  readonly memoBytes: number
}

type Given<T> = { readonly [K in keyof T]?: T[K] | undefined }

/** What may be given of a route. */
export interface ModelRouteInput extends Given<RouteSettings> {
  readonly name: string
  readonly match?:
    | { readonly models?: readonly string[] | undefined; readonly endpoints?: readonly ModelEndpoint[] | undefined }
    | undefined
}

/** What the options take; all of it may be left out, see README. */
export interface ModelInput extends Given<Omit<ModelOptions, 'routes'>> {
  readonly routes?: readonly ModelRouteInput[] | undefined
}

const ms = z.int().min(0).max(31_536_000_000)
const word = z.string().min(1).max(100)

const settings = {
  off: z.boolean().describe('Leaves requests alone: neither looked up nor stored'),
  ttlMs: ms.min(1).describe('How long an answer is fresh'),
  staleMs: ms.describe('How much longer it may be served while it is fetched anew; 0 = not'),
  epsilon: z
    .number()
    .min(0)
    .lt(1)
    .describe(
      'Share of wrong answers that likeness may give; it tightens the bound of the level itself. 0 = equal requests only',
    ),
  scope: z.enum(SCOPES).describe('Who shares answers: one key, user, team or tenant, or all tenants (public)'),
  sampling: z
    .enum(SAMPLINGS)
    .describe('Which answers are given again: at temperature 0 or with a seed; also where no temperature is set; or any'),
  tools: z.boolean().describe('Also requests with tools of the caller, and calls of them as answers; by equal requests only'),
  images: z.boolean().describe('Also requests with images inside, by equal requests only; never those with a URL'),
  serverState: z
    .boolean()
    .describe('Also `responses` that their provider would store: previous_response_id cannot go on from a stored answer'),
  maxTurns: z
    .int()
    .min(1)
    .max(100)
    .describe('Messages of the user up to which likeness is asked; equal requests have no limit'),
  version: z.string().max(100).describe('Part of every key: another version finds nothing of this one'),
}

const route = z.strictObject({
  name: word.describe('Stands in tags, keys and reports'),
  match: z
    .strictObject({
      models: z.array(word).min(1).default(['*']).describe('Names as clients say them; * stands for any text'),
      endpoints: z.array(z.enum(MODEL_ENDPOINTS)).min(1).optional().describe('Default: all'),
    })
    .prefault({})
    .describe('The first route that matches counts'),
  ...z.strictObject(settings).partial().shape,
})

/** The schema of the options. Strict: an unknown key is an error. */
export const modelOptions: z.ZodType<ModelOptions, ModelInput> = z
  .strictObject({
    off: settings.off.default(false),
    ttlMs: settings.ttlMs.default(3_600_000),
    staleMs: settings.staleMs.default(0),
    epsilon: settings.epsilon.optional(),
    scope: settings.scope.default('key'),
    sampling: settings.sampling.default('zero-or-unset'),
    tools: settings.tools.default(false),
    images: settings.images.default(false),
    serverState: settings.serverState.default(false),
    maxTurns: settings.maxTurns.default(3),
    version: settings.version.default(''),
    routes: z.array(route).default([]).describe('What differs by model and endpoint'),
    epoch: z
      .string()
      .max(100)
      .default('')
      .describe('Part of every key: change it when guards, models or prompts behind a name change'),
    varyHeaders: z
      .array(word.toLowerCase())
      .default([])
      .describe(
        'Headers of clients that your providers hand on (their forwardHeaders) beside those that are in every key anyway',
      ),
    maxBodyBytes: z.int().min(1).default(1_048_576).describe('Larger requests are left alone'),
    maxReplyBytes: z.int().min(1).default(4_194_304).describe('Larger replies are not stored'),
    paceMs: z.int().min(0).max(10_000).default(0).describe('Between the pieces of a replayed stream; 0 = all at once'),
    tellSimilarity: z
      .boolean()
      .default(false)
      .describe(
        'Tells everyone how alike a question was, which helps whoever looks for collisions; else the roles trace and admin',
      ),
    memoBytes: z
      .int()
      .min(0)
      .default(16_777_216)
      .describe('What keys that were worked out may take in this process; 0 = each is worked out anew'),
  })
  .superRefine(({ routes }, context) => {
    const names = new Set<string>()
    for (const [at, { name }] of routes.entries()) {
      if (names.has(name))
        context.addIssue({ code: 'custom', path: ['routes', at, 'name'], message: `${name} is the name of two routes` })
      names.add(name)
    }
  })
  .transform(({ routes, ...options }): ModelOptions => {
    const common = settingsOf(options)
    return {
      ...options,
      epsilon: options.epsilon,
      routes: routes.map(({ name, match, ...own }) => {
        const { models, endpoints } = match
        return { ...common, ...given(own), name, match: { models, endpoints } }
      }),
    }
  }) as unknown as z.ZodType<ModelOptions, ModelInput>

function settingsOf(options: { readonly [K in keyof RouteSettings]?: unknown }): RouteSettings {
  const names = Object.keys(settings) as (keyof RouteSettings)[]
  return Object.fromEntries(names.map((name) => [name, options[name]])) as unknown as RouteSettings
}

function given(values: Given<RouteSettings>): Partial<RouteSettings> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}
