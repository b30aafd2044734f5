import {
  type Call,
  definePlugin,
  definePort,
  type Ending,
  type Gives,
  type Handlers,
  type Lasting,
  type Logger,
  type Needs,
  type Next,
  type Placement,
  type Plugin,
  type Policy,
  type Port,
  type Principal,
  type SetupContext,
  type SetupResult,
  type Stage,
} from '@switchyard/contract'
import { z } from 'zod'

declare module '@switchyard/contract' {
  interface Operations {
    'fax.send': { request: { readonly to: string }; reply: { readonly pages: number } }
    'fax.watch': { request: { readonly to: string }; reply: Lasting }
  }
}

export interface Line {
  readonly capabilities?: object
  dial(): string
}

export const line: Port<Line> = definePort<Line>('acme/line', 1)
export const paper: Port<object> = definePort<object>('acme/paper', 1)

export const principal: Principal = { tenant: 'acme', keyId: 'key-1', roles: [] }
export const to: { readonly target: string; readonly request: { readonly to: string }; readonly principal: Principal } = {
  target: 'fax',
  request: { to: 'someone' },
  principal,
}

interface Parts {
  readonly options?: z.ZodType
  readonly input?: unknown
  readonly requires?: Needs
  readonly provides?: Gives
  readonly version?: string
  readonly place?: Placement
  readonly setup?: (ctx: SetupContext<never, Record<string, never>>) => unknown
}

/** A plugin of the given parts; without a `setup` it provides an empty object for each port. */
export function plugin(name: string, parts: Parts = {}): Plugin {
  const { options = z.strictObject({}), input = {}, place = {}, setup, ...rest } = parts
  const empty = (): SetupResult<Record<string, never>> => ({
    ports: Object.fromEntries(Object.keys(parts.provides ?? {}).map((key) => [key, {}])) as Record<string, never>,
  })
  const factory = definePlugin({ name, contract: 1, options, ...rest, setup: (setup ?? empty) as never })
  return { ...factory({}, place), input }
}

/** A plugin that serves operations, as instance `fax` unless named otherwise. */
export function server(serves: Handlers, name = 'fax'): Plugin {
  return plugin(name, { setup: () => ({ ports: {}, serves }) })
}

/** A plugin that is one policy. */
export function policy(
  stage: Stage,
  name: string,
  around: (call: Call, next: Next) => Promise<unknown>,
  more: Partial<Policy> = {},
): Plugin {
  return plugin(name, {
    setup: () => ({ ports: {}, policies: [{ name, stage, operations: '*', around: around as Policy['around'], ...more }] }),
  })
}

/** A handler, policy or set-up that waits until it is told to go on. */
export function gate<T = void>(): { readonly opened: Promise<T>; open(value: T): void; fail(error: unknown): void } {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  return { opened: promise, open: resolve, fail: reject }
}

/** A reply that goes on until `end` is called. */
export function stream(): Lasting & { end(ending?: Ending): void } {
  const { opened, open } = gate<Ending>()
  return { ended: opened, end: (ending = { outcome: 'complete' }) => open(ending) }
}

export interface LogLine {
  readonly level: keyof Logger
  readonly fields: Record<string, unknown>
  readonly message: string | undefined
}

/** A logger that keeps its lines. */
export function logs(): { readonly log: Logger; readonly lines: LogLine[] } {
  const lines: LogLine[] = []
  const at =
    (level: keyof Logger) =>
    (fields: object, message?: string): void => {
      lines.push({ level, fields: fields as Record<string, unknown>, message })
    }
  return { log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }, lines }
}

/** What a promise rejects with; fails the test if it resolves. */
export async function rejection(promise: Promise<unknown>): Promise<never> {
  const value = await promise.then(
    (resolved) => ({ resolved }),
    (error: unknown) => ({ error }),
  )
  if ('error' in value) return value.error as never
  throw new Error(`expected a rejection, got ${JSON.stringify(value.resolved)}`)
}
