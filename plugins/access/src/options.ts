import { isSecret, type Secret, secret } from '@switchyard/contract'
import { z } from 'zod'

/** A secret that digests of keys are made with. */
export interface PepperOptions {
  readonly kid: string
  readonly pepper: Secret
}

/** Where a member of a principal comes from: a claim of the token, or one text for all. */
export type ClaimRule = { readonly claim: string } | { readonly value: string }

/** Algorithms that a token may be signed with: none of them takes a shared secret. */
export const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const

/** One identity provider whose tokens are taken. */
export interface JwtOptions {
  readonly issuer: string
  readonly audience: readonly string[]
  readonly jwksUrl: string
  readonly algorithms: readonly (typeof ALGORITHMS)[number][]
  readonly clockSkewMs: number
  readonly notBefore: 'required' | 'optional'
  readonly tenant: ClaimRule
  readonly team?: ClaimRule | undefined
  readonly user: ClaimRule
  readonly roles?: { readonly claim: string; readonly map: Readonly<Record<string, readonly string[]>> } | undefined
  readonly models: readonly string[]
  readonly endpoints: readonly string[]
  readonly jwksMaxAgeMs: number
  readonly jwksCooldownMs: number
  readonly egress: { readonly allow: readonly string[]; readonly http: boolean }
}

/** How many failures are too many. */
export interface GuessingOptions {
  readonly perSource: number
  readonly perKey: number
  readonly windowMs: number
  readonly maxTracked: number
}

/** Options as validated. */
export interface AccessOptions {
  readonly peppers: readonly PepperOptions[]
  readonly jwt: readonly JwtOptions[]
  readonly cacheTtlMs: number
  readonly cacheSize: number
  readonly outageGraceMs: number
  readonly guessing: GuessingOptions
  readonly usageFlushMs: number
  readonly topic: string
  readonly steeringHeaders: readonly string[]
  readonly steeringFields: readonly string[]
}

type Given<T> = { readonly [K in keyof T]?: T[K] | undefined }

/** What `access({ ... })` takes; all of it may be left out, see README. */
export interface AccessInput extends Given<Omit<AccessOptions, 'peppers' | 'jwt' | 'guessing'>> {
  readonly peppers?: readonly { readonly kid: string; readonly pepper: string | Secret }[] | undefined
  readonly jwt?:
    | readonly (Given<Omit<JwtOptions, 'issuer' | 'jwksUrl' | 'tenant' | 'models' | 'endpoints' | 'audience' | 'egress'>> &
        Pick<JwtOptions, 'issuer' | 'jwksUrl' | 'tenant'> & {
          readonly audience: string | readonly string[]
          readonly models: readonly string[] | 'any'
          readonly endpoints: readonly string[] | 'any'
          readonly egress?: { readonly allow?: readonly string[] | undefined; readonly http?: boolean | undefined } | undefined
        })[]
    | undefined
  readonly guessing?: Given<GuessingOptions> | undefined
}

const LONGEST_MS = 2 ** 31 - 1
const ms = z.int().min(1).max(LONGEST_MS)
const orNoMs = z.int().min(0).max(LONGEST_MS)
const word = z.string().min(1).max(200)
const list = z
  .union([z.literal('any'), z.array(word).max(1000)])
  .transform((given): readonly string[] => (given === 'any' ? ['*'] : given))

const pepper = z.strictObject({
  kid: word.regex(/^[\w.-]+$/).describe('Name of the pepper, stored beside each digest that it made'),
  pepper: z
    .union([z.string(), z.custom<Secret>(isSecret, 'must be a string or a Secret')])
    .transform((value) => secret(value))
    .refine((value) => value.reveal().length >= 32, 'must have 32 characters or more')
    .describe('32 random characters or more, the same at all nodes, and not in the database'),
})

const claimRule = z.union([z.strictObject({ claim: word }), z.strictObject({ value: word })])

const jwt = z.strictObject({
  issuer: word.describe('`iss` of its tokens, to the letter'),
  audience: z
    .union([word, z.array(word).min(1)])
    .transform((value) => (typeof value === 'string' ? [value] : value))
    .describe('`aud`: one of these must stand in it'),
  jwksUrl: z.url({ protocol: /^https?$/ }).describe('Where its public keys are; fetched through the egress guard'),
  algorithms: z
    .array(z.enum(ALGORITHMS))
    .min(1)
    .default(['RS256', 'ES256', 'EdDSA'])
    .describe('Taken; none with a shared secret'),
  clockSkewMs: z.int().min(0).max(600_000).default(30_000).describe('How far its clock and ours may differ'),
  notBefore: z.enum(['required', 'optional']).default('required').describe('Whether a token must have `nbf`'),
  tenant: claimRule.describe('`{ claim }` or `{ value }`. Without the claim a token is refused, here and below'),
  team: claimRule.optional().describe('`{ claim }` or `{ value }`'),
  user: claimRule.default({ claim: 'sub' }).describe('`{ claim }` or `{ value }`; also part of the `keyId`'),
  roles: z
    .strictObject({ claim: word, map: z.record(word, z.array(word)) })
    .optional()
    .describe('`{ claim, map }`: roles by the values of a claim; what is not in the map gives none'),
  models: list.describe('Models that its tokens may call, or `any`'),
  endpoints: list.describe('Endpoints that its tokens may call, or `any`'),
  jwksMaxAgeMs: ms.default(600_000).describe('Its keys serve for that long; fetched anew after half of it'),
  jwksCooldownMs: ms.default(30_000).describe('Between two fetches for a key that is not known'),
  egress: z
    .strictObject({
      allow: z.array(z.string()).default([]).describe('CIDR blocks opened on top of the public internet'),
      http: z.boolean().default(false).describe('Allow `http:` beside `https:`'),
    })
    .prefault({})
    .describe('What the guard lets it reach'),
})

const guessing = z.strictObject({
  perSource: z.int().min(0).max(1_000_000).default(50).describe('Failures from one address in a window; 0 = no limit'),
  perKey: z.int().min(0).max(1_000_000).default(200).describe('Failures with one key’s id in a window; 0 = no limit'),
  windowMs: ms.default(60_000).describe('The window'),
  maxTracked: z.int().min(1).max(1_000_000).default(10_000).describe('Addresses and ids counted at once; the oldest go'),
})

/** The schema of the options. Strict: an unknown key is an error. */
export const accessOptions: z.ZodType<AccessOptions, AccessInput> = z
  .strictObject({
    peppers: z
      .array(pepper)
      .default([])
      .describe('The first makes new digests, the others check old ones. None: one is made, and kept in the database.'),
    jwt: z.array(jwt).max(20).default([]).describe('Identity providers whose tokens are taken.'),
    cacheTtlMs: z
      .int()
      .min(1)
      .max(60_000)
      .default(1_000)
      .describe('How long a checked key is taken unseen. Bounds how late a revocation comes that the bus lost.'),
    cacheSize: z.int().min(1).max(1_000_000).default(10_000).describe('Checked keys and tokens kept; the oldest go.'),
    outageGraceMs: orNoMs
      .default(0)
      .describe('How much longer a checked key is taken while the database does not answer; 0 = refused.'),
    guessing: guessing.prefault({}).describe('When guessing is cut off.'),
    usageFlushMs: ms.default(10_000).describe('Longest time until a use stands in the database.'),
    topic: word.default('access').describe('Of the bus; the same at all nodes.'),
    steeringHeaders: z
      .array(word.toLowerCase())
      .default(['x-portkey-config', 'x-portkey-virtual-key'])
      .describe('Headers that can name another model than the body: refused for keys whose models are restricted.'),
    steeringFields: z
      .array(word.toLowerCase())
      .default(['models'])
      .describe('Fields of a body that name models beside its `model`, as OpenRouter takes them: refused for the same keys.'),
  })
  .refine(({ peppers }) => new Set(peppers.map(({ kid }) => kid)).size === peppers.length, {
    path: ['peppers'],
    error: 'each kid must stand there once',
  })
