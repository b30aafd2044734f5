import type { Plugin, Secret } from '@switchyard/contract'
import type { KeyEntry } from '../principal.ts'

type Given<T> = { readonly [K in keyof T]?: T[K] | undefined }

/** Limits and times of the HTTP server; README has the defaults. */
export interface ServerSettings {
  /** Address to listen on; anything but loopback needs `auth.keys`. */
  readonly host: string
  /** TCP port; 0 takes a free one. */
  readonly port: number
  /** Largest request body. */
  readonly maxBodyBytes: number
  /** Largest sum of request headers; above it the reply is 431. */
  readonly maxHeaderBytes: number
  /** A client must have sent its headers within this, or within `requestTimeoutMs` where that is less; 0 is no limit. */
  readonly headersTimeoutMs: number
  /** A client must have sent its whole request within this; 0 is no limit. */
  readonly requestTimeoutMs: number
  /** A call may take this long, from its request's headers to its reply's last byte. A client may ask for less, by header. */
  readonly callTimeoutMs: number
  /** An idle connection is closed after this. */
  readonly keepAliveTimeoutMs: number
  /** A client that reads nothing of its stream for this long is dropped. */
  readonly slowClientTimeoutMs: number
  /** After SIGTERM readiness is off, and new requests are still served, for this long. */
  readonly drainDelayMs: number
  /** Requests in flight may take this long to end when closing. */
  readonly drainTimeoutMs: number
}

/** A plugin by name, as JSON and YAML can say it. */
export interface NamedPlugin {
  /** Package, or path relative to the configuration file. */
  readonly use: string
  /** Name of the factory, where a package exports several. */
  readonly export?: string | undefined
  readonly options?: Record<string, unknown> | undefined
  /** Instance name. */
  readonly as?: string | undefined
  /** Which instance meets which need. */
  readonly bind?: Record<string, string> | undefined
}

export interface EmbeddedParts {
  /** Run the real Portkey gateway as a child, with every provider whose key is in the environment. */
  readonly portkey: boolean
  /** Serve `demo/*`, a simulated upstream behind that Portkey. */
  readonly demo: boolean
}

/** The catalog of the embedded default; `modelCatalog` takes more. */
export interface CatalogSettings {
  /** File with a team's own prices and limits, relative to the configuration file. */
  readonly overrides?: string | undefined
  /** Fetch the public feeds, and keep them in `dataDir`. */
  readonly update: boolean
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** A validated configuration. */
export interface Settings {
  readonly server: ServerSettings
  /** Who may call; no keys: everyone on this machine. */
  readonly auth: { readonly keys: readonly KeyEntry[] }
  readonly log: { readonly level: LogLevel }
  /** Folder of embedded state, relative to the configuration file. */
  readonly dataDir: string
  readonly catalog: CatalogSettings
  /** The embedded default assembly; on where `plugins` is absent. */
  readonly embedded?: boolean | EmbeddedParts | undefined
  /** The assembly; order decides within a stage. */
  readonly plugins?: readonly (Plugin | NamedPlugin)[] | undefined
}

/** A configuration as it is written. */
export interface SettingsInput {
  readonly server?: Given<ServerSettings> | undefined
  readonly auth?:
    | { readonly keys?: readonly (Omit<KeyEntry, 'key'> & { readonly key: string | Secret })[] | undefined }
    | undefined
  readonly log?: { readonly level?: LogLevel | undefined } | undefined
  readonly dataDir?: string | undefined
  readonly catalog?: Given<CatalogSettings> | undefined
  readonly embedded?: boolean | Given<EmbeddedParts> | undefined
  readonly plugins?: readonly (Plugin | NamedPlugin)[] | undefined
}

/** Types a configuration file: `export default defineConfig({ … })`. */
export function defineConfig(config: SettingsInput): SettingsInput {
  return config
}
