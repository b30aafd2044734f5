import { z } from 'zod'

/** How Portkey picks among targets. */
export interface PortkeyStrategy {
  readonly mode: 'single' | 'loadbalance' | 'fallback' | 'conditional'
  /** Fallback only: statuses at which to go on; default: any but 2xx. */
  readonly onStatusCodes?: readonly number[] | undefined
  /** Conditional only: the first match decides. */
  readonly conditions?: readonly { readonly query: Readonly<Record<string, unknown>>; readonly then: string }[] | undefined
  /** Conditional only: without it, no match is a 400. */
  readonly default?: string | undefined
}

/** A Portkey config in camelCase; `encodeConfig` writes Portkey's snake_case. */
export interface PortkeyConfig {
  readonly strategy?: PortkeyStrategy | undefined
  readonly targets?: readonly PortkeyConfig[] | undefined
  readonly name?: string | undefined
  readonly weight?: number | undefined
  readonly provider?: string | undefined
  readonly apiKey?: string | undefined
  readonly virtualKey?: string | undefined
  readonly customHost?: string | undefined
  readonly overrideParams?: Readonly<Record<string, unknown>> | undefined
  readonly retry?:
    | {
        readonly attempts: number
        readonly onStatusCodes?: readonly number[] | undefined
        readonly useRetryAfterHeader?: boolean | undefined
      }
    | undefined
  /** Milliseconds; per attempt, to headers only. */
  readonly requestTimeout?: number | undefined
  readonly forwardHeaders?: readonly string[] | undefined
  readonly strictOpenAiCompliance?: boolean | undefined
}

const statuses = z.array(z.int().min(100).max(599))

const strategy = z
  .strictObject({
    mode: z.enum(['single', 'loadbalance', 'fallback', 'conditional']),
    onStatusCodes: statuses.optional(),
    // biome-ignore lint/suspicious/noThenProperty: Portkey's own name
    conditions: z.array(z.strictObject({ query: z.record(z.string(), z.unknown()), then: z.string() })).optional(),
    default: z.string().optional(),
  })
  .refine(
    ({ mode, conditions }) => mode !== 'conditional' || (conditions?.length ?? 0) > 0,
    'a conditional strategy needs conditions',
  )
  .refine(({ mode, onStatusCodes }) => mode === 'fallback' || onStatusCodes === undefined, 'onStatusCodes is for fallback only')

/** Validates a config: what Portkey would refuse or ignore is an error here. */
export const portkeyConfig: z.ZodType<PortkeyConfig> = z
  .strictObject({
    strategy: strategy.optional(),
    get targets() {
      return z.array(portkeyConfig).min(1).optional()
    },
    name: z.string().optional(),
    weight: z.number().min(0).optional(),
    provider: z.string().optional(),
    apiKey: z.string().optional(),
    virtualKey: z.string().optional(),
    customHost: z.string().optional(),
    overrideParams: z.record(z.string(), z.unknown()).optional(),
    retry: z
      .strictObject({
        attempts: z.int().min(0).max(5),
        onStatusCodes: statuses.optional(),
        useRetryAfterHeader: z.boolean().optional(),
      })
      .optional(),
    requestTimeout: z.int().min(1).optional(),
    forwardHeaders: z.array(z.string()).optional(),
    strictOpenAiCompliance: z.boolean().optional(),
  })
  .refine(
    ({ strategy: chosen, targets }) => (chosen === undefined) === (targets === undefined),
    'strategy and targets go together',
  )
  .refine((config) => namesExist(config), 'a condition names a target that is not there') as unknown as z.ZodType<PortkeyConfig>

function namesExist({ strategy: chosen, targets = [] }: Pick<PortkeyConfig, 'strategy' | 'targets'>): boolean {
  if (chosen?.mode !== 'conditional') return true
  const names = new Set(targets.map(({ name }) => name))
  const wanted = [
    ...(chosen.conditions ?? []).map(({ then }) => then),
    ...(chosen.default === undefined ? [] : [chosen.default]),
  ]
  return wanted.every((name) => names.has(name))
}

/** Portkey's JSON: keys in snake_case, all but ASCII escaped, as a header carries it. Values below `overrideParams` and `query` keep theirs. */
export function encodeConfig(config: PortkeyConfig): string {
  return asciiJson(snake(config))
}

/** JSON that a header can carry. */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(/[\u007f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

const OPAQUE = new Set(['overrideParams', 'query'])

function snake(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snake)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .map(([key, inner]) => [
        key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
        OPAQUE.has(key) ? inner : snake(inner),
      ]),
  )
}
