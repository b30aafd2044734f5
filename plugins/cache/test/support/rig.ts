import {
  type Budgets,
  type Cache,
  type Call,
  type Explained,
  type Flights,
  type Next,
  type Operation,
  quietTrace,
  type SemanticCache,
} from '@switchyard/contract'
import { plainCache, recordingLogger, type VirtualClock, virtualClock } from '@switchyard/testkit'
import { adminOf } from '../../src/admin/admin.ts'
import type { CacheAdmin } from '../../src/admin/port.ts'
import { Counts } from '../../src/counts.ts'
import { singleFlight } from '../../src/flight/single-flight.ts'
import type { Kind } from '../../src/kind.ts'
import { nearLevel } from '../../src/levels/near.ts'
import { storeLevel } from '../../src/levels/store.ts'
import { ownCalls } from '../../src/own-calls.ts'
import { cachePolicy } from '../../src/policy.ts'
import { servedReplies } from '../../src/served.ts'
import { writesOn } from '../../src/writes.ts'
import { type EchoReply, type EchoRequest, echoKind } from './echo-kind.ts'

export interface Rig {
  readonly clock: VirtualClock
  readonly cache: Cache
  readonly admin: CacheAdmin
  readonly emitted: { readonly event: string; readonly payload: unknown }[]
  readonly log: ReturnType<typeof recordingLogger>
  /** Texts that went upstream. */
  readonly asked: string[]
  /** Purposes of the cache's own calls, as upstream saw them. */
  readonly purposes: unknown[]
  counts(): Counts['tally']
  explain(text: string, plan?: EchoRequest['plan']): Promise<Explained['decisions']>
  /** One call; `answers` is what upstream says, at the next turn unless it gives a promise. */
  ask(text: string, more?: Ask): Promise<EchoReply>
  close(): void
}

export interface Ask {
  readonly tenant?: string
  readonly plan?: EchoRequest['plan'] | undefined
  readonly signal?: AbortSignal
  readonly id?: string
  readonly deadline?: number
}

export interface RigOptions {
  readonly cache?: Cache
  readonly clock?: VirtualClock
  readonly flights?: Flights
  readonly semantic?: SemanticCache
  readonly answers?: (text: string, call: Call<'test.echo'>) => string | Promise<string>
  readonly storeFallbacks?: boolean
  /** Of every reply from upstream. */
  readonly headers?: Readonly<Record<string, string>>
  readonly nearBytes?: number
  readonly budgets?: Budgets
  readonly random?: () => number
}

export async function memoryCache(clock: VirtualClock): Promise<Cache> {
  return plainCache({ now: () => clock.now() })
}

let made = 0

/** The policy on a cache in memory and a virtual clock, with an upstream that repeats what it is asked. */
export async function startRig(options: RigOptions = {}): Promise<Rig> {
  const clock = options.clock ?? virtualClock()
  const log = recordingLogger()
  const held = options.cache ?? (await memoryCache(clock))
  const near = nearLevel(held, options.nearBytes ?? 1_000_000)
  const store = storeLevel({
    cache: held,
    clock,
    log,
    lookupTimeoutMs: 10,
    writeTimeoutMs: 1_000,
    maxBytes: 100_000,
    compressFrom: 1_000,
    maxWritesInFlight: 100,
  })
  const flight = singleFlight({ flights: options.flights, clock, log, maxBytes: 100_000, remoteTimeoutMs: 250 })
  const own = ownCalls({ clock, timeoutMs: 5_000, maxInFlight: 4, budgets: options.budgets, maxBudgetShare: 0.5 })
  const writes = writesOn({ cache: held, clock, log, timeoutMs: 1_000 })
  const served = servedReplies(100)
  const tally = new Counts()
  const counts = new Map<Operation, Counts>([['test.echo', tally]])
  const emitted: { readonly event: string; readonly payload: unknown }[] = []
  const { semantic, random = () => 0.5, answers = (text: string) => text.toUpperCase() } = options
  const parts = { name: 'cache', cache: held, near, store, flight, semantic, own, served, clock, random }
  const policy = cachePolicy({
    ...parts,
    kinds: new Map<Operation, Kind>([['test.echo', echoKind as unknown as Kind]]),
    writes,
    counts,
    headers: true,
    storeFallbacks: options.storeFallbacks ?? false,
  })
  const admin = adminOf({ ...parts, writes, counts, log, emit: (event, payload) => void emitted.push({ event, payload }) })
  const asked: string[] = []
  const purposes: unknown[] = []
  const upstream = (async (call: Call<'test.echo'>): Promise<EchoReply> => {
    asked.push(call.request.text)
    purposes.push(call.attributes.purpose)
    return { text: await answers(call.request.text, call), headers: options.headers ?? {} }
  }) as unknown as Next
  return {
    clock,
    cache: held,
    admin,
    emitted,
    log,
    asked,
    purposes,
    counts: () => tally.tally,
    explain: async (text, plan) => {
      const explained = await policy.explain?.(callOf(text, { plan }) as unknown as Call)
      return explained?.decisions ?? []
    },
    ask: (text, more = {}) => policy.around(callOf(text, more) as unknown as Call, upstream) as unknown as Promise<EchoReply>,
    close() {
      flight.close()
      own.close()
      writes.close()
      near.close()
    },
  }
}

function callOf(
  text: string,
  { tenant = 'acme', plan, signal = new AbortController().signal, id, deadline }: Ask,
): Call<'test.echo'> {
  made += 1
  return {
    id: id ?? `call-${made}`,
    operation: 'test.echo',
    target: 'echo',
    request: { text, ...(plan !== undefined && { plan }) },
    principal: { tenant, keyId: 'key', roles: [] },
    signal,
    deadline,
    attempt: 1,
    idempotent: true,
    attributes: {},
    trace: quietTrace(),
  }
}
