import {
  type Access,
  access as accessPort,
  type Bus,
  type Identity,
  type KeyInput,
  type Keys,
  keys as keysPort,
  type SqlDatabase,
} from '@switchyard/contract'
import {
  type RecordingLogger,
  recordingLogger,
  type StartedPlugin,
  startPlugin,
  type VirtualClock,
  virtualClock,
} from '@switchyard/testkit'
import { type AccessInput, access } from '../../src/index.ts'

/** One node of a test. */
export interface Node {
  readonly access: Access
  readonly keys: Keys
  readonly clock: VirtualClock
  readonly log: RecordingLogger
  readonly plugin: StartedPlugin
  /** Asks with a key as a bearer. */
  ask(key: string, source?: string): Promise<Identity>
  /** What was emitted under a name. */
  emitted(event: string): readonly Record<string, unknown>[]
}

export interface NodeOptions {
  readonly sql?: SqlDatabase
  readonly bus?: Bus
  readonly clock?: VirtualClock
  readonly options?: AccessInput
}

/** Starts the plugin alone. */
export async function startNode({ sql, bus, clock = virtualClock(), options = {} }: NodeOptions): Promise<Node> {
  const log = recordingLogger()
  const deps = { ...(sql && { sql }), ...(bus && { bus }) }
  const plugin = await startPlugin(access(options), { deps, clock, log })
  const port = plugin.port(accessPort)
  return {
    access: port,
    keys: plugin.port(keysPort),
    clock,
    log,
    plugin,
    ask: async (key, source) => port.authenticate({ authorization: `Bearer ${key}` }, { source }),
    emitted: (event) =>
      plugin.emitted
        .filter((one) => (one.event as string) === event)
        .map(({ payload }) => payload as unknown as Record<string, unknown>),
  }
}

export const CHANGE = { by: 'ada', reason: 'a test' } as const
export const VIRTUAL: KeyInput = { class: 'virtual', tenant: 'acme', models: 'any', endpoints: 'any' }
export const ADMIN: KeyInput = { class: 'admin', tenant: 'ops', roles: ['admin'] }

/** Makes a key and gives its text. */
export async function made(node: Node, input: KeyInput = VIRTUAL): Promise<{ readonly id: string; readonly key: string }> {
  const { record, key } = await node.keys.create(input, CHANGE)
  return { id: record.id, key: key.reveal() }
}
