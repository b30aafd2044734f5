import { join } from 'node:path'
import { access } from '@switchyard/access'
import { budget } from '@switchyard/budget'
import { responseCache } from '@switchyard/cache'
import { cacheMemory } from '@switchyard/cache-memory'
import { cacheSemantic } from '@switchyard/cache-semantic'
import { sqlite } from '@switchyard/connector-sqlite'
import type { Logger, ModelEndpoint, Plugin } from '@switchyard/contract'
import { health } from '@switchyard/health'
import { portkey } from '@switchyard/provider-portkey'
import { rateLimit } from '@switchyard/rate-limit'
import { resilience } from '@switchyard/resilience'
import { routing } from '@switchyard/routing'
import { modelCatalog } from '../catalog/plugin.ts'
import { DEMO_PRICES } from '../demo/answers.ts'
import { startDemoUpstream } from '../demo/demo-upstream.ts'
import { startPortkey } from '../portkey-child/start.ts'
import { keysIn, PORTKEY_VARIABLE } from './provider-keys.ts'
import type { CatalogSettings } from './settings.ts'

export interface EmbeddedOptions {
  /** Run Portkey as a child. */
  readonly portkey: boolean
  /** Serve `demo/*`; needs `portkey`. */
  readonly demo: boolean
  readonly dataDir: string
  /** Paths are absolute, or relative to the working folder. Default: the seed alone. */
  readonly catalog?: CatalogSettings
  readonly env: NodeJS.ProcessEnv
}

/** Where the processes of the embedded default listen. */
interface Addresses {
  readonly portkey: string | undefined
  readonly demo: string | undefined
}

export interface EmbeddedPlan {
  readonly plugins: readonly Plugin[]
  /** For the start-up message: `openai (OPENAI_API_KEY)`. */
  readonly providers: readonly string[]
}

/** Processes and servers that the embedded assembly stands on. They outlive a reload and close with the gateway. */
export interface Embedded {
  readonly plan: EmbeddedPlan
  close(): Promise<void>
}

/**
 * Starts the default assembly's processes: the real Portkey gateway as a child and the simulated `demo` upstream.
 * Rejects `CONFIG_INVALID` or `STARTUP_FAILED`; what was started by then is stopped.
 */
export async function startEmbedded(options: EmbeddedOptions, log: Logger): Promise<Embedded> {
  const releases: (() => Promise<void>)[] = []
  const close = async (): Promise<void> => {
    for (const release of releases.splice(0).reverse()) await release()
  }
  try {
    const demo = options.demo && options.portkey ? await startDemoUpstream() : undefined
    if (demo !== undefined) releases.push(demo.close)
    const child = options.portkey ? await startPortkey({ log }) : undefined
    if (child !== undefined) releases.push(child.close)
    return { plan: planEmbedded(options, { portkey: child?.baseUrl, demo: demo?.baseUrl }), close }
  } catch (error) {
    await close()
    throw error
  }
}

const DEMO_ENDPOINTS: readonly ModelEndpoint[] = ['chat/completions', 'embeddings']
const NOWHERE = 'http://127.0.0.1:9/v1'

/**
 * The plugins of the default assembly: access, routing, resilience, rate limits and budgets (none until some are given), health, the ledger,
 * the catalog, the cache in memory, SQLite in the data folder, Portkey. Starts nothing. Policies of a stage run in this order.
 */
export function planEmbedded(
  options: EmbeddedOptions,
  addresses: Addresses = {
    portkey: options.portkey ? NOWHERE : undefined,
    demo: options.demo && options.portkey ? NOWHERE : undefined,
  },
): EmbeddedPlan {
  const { overrides, update = false } = options.catalog ?? {}
  const plugins: Plugin[] = [
    access(),
    routing(),
    resilience(),
    rateLimit(),
    health(),
    // Last of those with policies: each upstream attempt is to pass it.
    budget({ journal: { directory: join(options.dataDir, 'journal') } }),
    modelCatalog({
      overrides,
      rows: addresses.demo === undefined ? [] : DEMO_PRICES,
      dataDir: options.dataDir,
      update: { enabled: update },
    }),
    responseCache(),
    cacheSemantic(),
    cacheMemory(),
    sqlite({ path: databaseOf(options) }),
  ]
  const providers: string[] = []
  if (addresses.portkey !== undefined) {
    const keys = keysIn(options.env)
    if (addresses.demo !== undefined) providers.push('demo (simulated, no key needed)')
    providers.push(...keys.map(({ provider, variable }) => `${provider} (${variable})`))
    plugins.push(
      portkey({
        baseUrl: addresses.portkey,
        egress: { allow: ['127.0.0.0/8'] },
        providers: {
          ...Object.fromEntries(keys.map(({ provider, value }) => [provider, { slug: provider, apiKey: value }])),
          ...(addresses.demo !== undefined && { demo: demoAt(addresses.demo) }),
        },
      }),
    )
  }
  const hosted = options.env[PORTKEY_VARIABLE]
  if (hosted) {
    plugins.push(portkey({ apiKey: hosted }, { as: 'portkey-hosted' }))
    providers.push(`any model through hosted Portkey (${PORTKEY_VARIABLE})`)
  }
  return { plugins, providers }
}

/**
 * Embedded plugins with those that a configuration lists behind them; one of the latter that bears the instance name of an embedded one
 * takes its place, so that it can have options of its own.
 */
export function withOwn(embedded: readonly Plugin[], own: readonly Plugin[]): readonly Plugin[] {
  const theirs = new Map(own.map((plugin) => [instanceOf(plugin), plugin]))
  const places = new Set(embedded.map(instanceOf))
  return [
    ...embedded.map((plugin) => theirs.get(instanceOf(plugin)) ?? plugin),
    ...own.filter((plugin) => !places.has(instanceOf(plugin))),
  ]
}

function instanceOf({ definition, placement }: Plugin): string {
  return placement?.as ?? definition.name.replace(/^@[^/]+\//, '')
}

/** The simulated provider. Its key must be no word of its answers: errors hold no credential that was configured. */
function demoAt(customHost: string): { slug: string; apiKey: string; customHost: string; endpoints: readonly ModelEndpoint[] } {
  return { slug: 'openai', apiKey: 'no-key-needed', customHost, endpoints: DEMO_ENDPOINTS }
}

function databaseOf(options: EmbeddedOptions): string {
  return join(options.dataDir, 'switchyard.db')
}
