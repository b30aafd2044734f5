import { z } from 'zod'

/** Options as validated. */
export interface CatalogOptions {
  readonly overrides?: string | undefined
  readonly rows: readonly unknown[]
  readonly dataDir?: string | undefined
  readonly update: UpdateOptions
}

export interface UpdateOptions {
  readonly enabled: boolean
  readonly intervalMs: number
  readonly urls: FeedUrls
  readonly hosts: readonly string[]
  readonly allow: readonly string[]
}

/** Where the feeds are; `{slug}` stands for a provider. `false` leaves a feed out. */
export interface FeedUrls {
  readonly portkeyPricing: string | false
  readonly portkeyGeneral: string | false
  readonly modelsDev: string | false
  readonly liteLlm: string | false
}

const RAW = 'https://raw.githubusercontent.com'

const url = (fallback: string): z.ZodDefault<z.ZodUnion<readonly [z.ZodString, z.ZodLiteral<false>]>> =>
  z.union([z.string().regex(/^https?:\/\//, 'an http or https URL'), z.literal(false)]).default(fallback)

const urls = z.strictObject({
  portkeyPricing: url('https://configs.portkey.ai/pricing/{slug}.json').describe('Prices by Portkey, a file a provider'),
  portkeyGeneral: url(`${RAW}/Portkey-AI/models/main/general/{slug}.json`).describe('Features by Portkey, a file a provider'),
  modelsDev: url('https://models.dev/api.json').describe('models.dev'),
  liteLlm: url(`${RAW}/BerriAI/litellm/main/model_prices_and_context_window.json`).describe("LiteLLM's price list"),
})

const update = z.strictObject({
  enabled: z.boolean().default(false).describe('Fetch the public feeds'),
  intervalMs: z.int().min(60_000).default(3_600_000).describe('Between two rounds, ± 10 % by chance'),
  urls: urls.prefault({}).describe('Where the feeds are, such as mirrors of your own; false = without that feed'),
  hosts: z
    .array(z.string().min(1))
    .default(['configs.portkey.ai', 'models.dev', 'raw.githubusercontent.com'])
    .describe('The only hosts that are asked; no redirect is followed'),
  allow: z.array(z.string()).default([]).describe('Private CIDR blocks that a mirror may lie in'),
})

/** The schema of the catalog plugin's options. */
export const catalogOptions: z.ZodType<CatalogOptions, CatalogInput> = z.strictObject({
  overrides: z.string().min(1).optional().describe("File with a team's own prices and limits, a JSON array of rows"),
  rows: z.array(z.unknown()).default([]).describe('Rows of that form, said here; those of the file win'),
  dataDir: z.string().min(1).optional().describe('Folder that keeps the last good feeds over a restart; none = they are lost'),
  update: update.prefault({}).describe('Hot update from the public feeds'),
})

/** What `modelCatalog({ … })` takes; README has the defaults. */
export interface CatalogInput {
  readonly overrides?: string | undefined
  readonly rows?: readonly unknown[] | undefined
  readonly dataDir?: string | undefined
  readonly update?: UpdateInput | undefined
}

export interface UpdateInput {
  readonly enabled?: boolean | undefined
  readonly intervalMs?: number | undefined
  readonly urls?: { readonly [K in keyof FeedUrls]?: FeedUrls[K] | undefined } | undefined
  readonly hosts?: readonly string[] | undefined
  readonly allow?: readonly string[] | undefined
}
