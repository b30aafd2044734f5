import type { Secret } from '@switchyard/contract'
import type { PortkeyOptions, ProviderOptions } from './options.ts'
import { asciiJson, encodeConfig } from './portkey-config.ts'

/** The SDK's own header builder. */
export type CreateHeaders = (options: Record<string, unknown>) => Record<string, unknown>

const reveal = (value: Secret | undefined): string | undefined => value?.reveal()

/** The headers that every call sends, built once by the SDK, so that names and encodings are Portkey's own. */
export function commonHeaders(options: PortkeyOptions, createHeaders: CreateHeaders): Readonly<Record<string, string>> {
  const { config } = options
  return texts({
    ...createHeaders({
      apiKey: reveal(options.apiKey),
      config: typeof config === 'object' ? encodeConfig(config) : config,
      metadata: options.metadata === undefined ? undefined : asciiJson(options.metadata),
      forwardHeaders: options.forwardHeaders.length > 0 ? [...options.forwardHeaders] : undefined,
      requestTimeout: options.requestTimeoutMs,
      strictOpenAiCompliance: options.strictOpenAiCompliance,
    }),
    'content-type': 'application/json',
  })
}

/** The headers that name a provider and its credentials. */
export function providerHeaders(
  prefix: string,
  provider: ProviderOptions,
  createHeaders: CreateHeaders,
): Readonly<Record<string, string>> {
  const key = reveal(provider.apiKey)
  return texts(
    createHeaders({
      provider: provider.slug ?? prefix,
      virtualKey: reveal(provider.virtualKey),
      customHost: provider.customHost,
      Authorization: key === undefined ? undefined : `Bearer ${key}`,
      ...Object.fromEntries(Object.entries(provider.credentials).map(([name, value]) => [name, value.reveal()])),
    }),
  )
}

/** Everything that is sent and must be in no error. */
export function secretsOf(options: PortkeyOptions): readonly string[] {
  const held = Object.values(options.providers).flatMap(({ apiKey, virtualKey, credentials }) => [
    apiKey,
    virtualKey,
    ...Object.values(credentials),
  ])
  const found = [options.apiKey, ...held].flatMap((value) => (value === undefined ? [] : [value.reveal()]))
  return [...found, ...configKeys(options.config)]
}

function configKeys(config: PortkeyOptions['config']): readonly string[] {
  if (typeof config !== 'object') return []
  const own = [config.apiKey, config.virtualKey].filter((value) => value !== undefined)
  return [...own, ...(config.targets ?? []).flatMap(configKeys)]
}

function texts(headers: Record<string, unknown>): Readonly<Record<string, string>> {
  const out: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && value !== '') out[name.toLowerCase()] = String(value)
  return Object.freeze(out)
}
