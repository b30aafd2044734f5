import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Route } from '../../src/entry.ts'
import { compact } from '../../src/feeds/row-values.ts'
import { canonicalProvider, isPseudoProvider } from '../../src/identity/providers.ts'
import type { SourceRow } from '../../src/merge/source-row.ts'

interface Registry {
  readonly providers: Readonly<Record<string, Provider>>
}

interface Provider {
  readonly url?: string
  readonly apiKeyEnvVar?: string | readonly string[]
  readonly models: readonly string[]
  readonly deprecatedModels?: readonly string[]
}

interface Lists {
  readonly attachment?: readonly string[]
  readonly structuredOutput?: readonly string[]
}

/** Rows of the registry: which models a provider lists, how it is reached, and the few flags that are kept as lists (listed = true). */
export function readMastra(folder: string, asOf: string): readonly SourceRow[] {
  const { providers } = JSON.parse(readFileSync(join(folder, 'dist/provider-registry.json'), 'utf8')) as Registry
  return Object.entries(providers).flatMap(([id, provider]) => {
    if (isPseudoProvider(id)) return []
    const path = join(folder, `dist/capabilities/${id}.json`)
    const lists = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Lists) : {}
    const attachment = new Set(lists.attachment)
    const structured = new Set(lists.structuredOutput)
    const gone = new Set(provider.deprecatedModels)
    const route = routeOf(provider)
    return provider.models.map((model) =>
      compact<SourceRow>({
        source: 'mastra',
        asOf,
        provider: canonicalProvider(id),
        model,
        route,
        caps: { ...(structured.has(model) ? { jsonSchema: true } : {}), ...(attachment.has(model) ? { vision: true } : {}) },
        lifecycle: { status: gone.has(model) ? 'deprecated' : 'active' },
      }),
    )
  })
}

function routeOf({ url, apiKeyEnvVar }: Provider): Route | undefined {
  if (url === undefined || !url.startsWith('https://')) return undefined
  const envKeys = apiKeyEnvVar === undefined ? [] : typeof apiKeyEnvVar === 'string' ? [apiKeyEnvVar] : apiKeyEnvVar
  return { via: 'openai-compatible', baseUrl: url, envKeys }
}
