import { bulkhead as cockatielBulkhead } from 'cockatiel'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Bulkhead, type SlotWaiter } from '../../src/bulkhead/bulkhead.ts'
import type { Rank } from '../../src/bulkhead/fair-queue.ts'
import type { AdaptiveLimit } from '../../src/limiter/adaptive-limit.ts'
import { DEFAULTS } from '../../src/settings.ts'
import { command } from '../command.ts'

const QUEUE = 6
const WEIGHTS = { heavy: 2 }
const TENANTS = ['heavy', 'light', 'third'] as const

type Fate = 'waiting' | 'granted' | 'displaced' | 'shed' | 'broken' | 'left'

interface Client extends SlotWaiter {
  readonly id: number
  fate: Fate
}

/** The reference: lines by tenant in order of their turns, each a plain list of who waits in it. */
interface Model {
  limit: number
  inUse: number
  made: number
  lines: { readonly tenant: string; readonly waiters: { readonly id: number; readonly rank: Rank }[]; turns: number }[]
  fates: Map<number, Fate>
}

interface Real {
  readonly limit: { limit: number }
  readonly bulkhead: Bulkhead
  readonly clients: Client[]
}

const weightOf = (tenant: string): number => (tenant === 'heavy' ? 2 : 1)

function nextOf(model: Model): number | undefined {
  const line = model.lines[0]
  if (line === undefined) return undefined
  const best = Math.min(...line.waiters.map(({ rank }) => rank))
  const at = line.waiters.findIndex(({ rank }) => rank === best)
  const [waiter] = line.waiters.splice(at, 1)
  if (line.waiters.length === 0) model.lines.shift()
  else if (--line.turns === 0) {
    line.turns = weightOf(line.tenant)
    model.lines.push(model.lines.shift() as (typeof model.lines)[number])
  }
  return waiter?.id
}

function grant(model: Model): void {
  while (model.inUse < model.limit) {
    const id = nextOf(model)
    if (id === undefined) return
    model.inUse++
    model.fates.set(id, 'granted')
  }
}

function drop(model: Model, id: number, fate: Fate): void {
  for (const line of model.lines) {
    const at = line.waiters.findIndex((waiter) => waiter.id === id)
    if (at === -1) continue
    line.waiters.splice(at, 1)
    model.fates.set(id, fate)
  }
  model.lines = model.lines.filter(({ waiters }) => waiters.length > 0)
}

/** Whom one more of that tenant and class may displace. */
function victim(model: Model, tenant: string, rank: Rank): number | undefined {
  const lastOf = (line: (typeof model.lines)[number]): (typeof line.waiters)[number] => {
    const lowest = Math.max(...line.waiters.map((waiter) => waiter.rank))
    return line.waiters.findLast((waiter) => waiter.rank === lowest) as (typeof line.waiters)[number]
  }
  const own = model.lines.find((line) => line.tenant === tenant)
  if (own !== undefined && lastOf(own).rank > rank) return lastOf(own).id
  const shareOf = (line: (typeof model.lines)[number]): number => line.waiters.length / weightOf(line.tenant)
  const share = ((own?.waiters.length ?? 0) + 1) / weightOf(tenant)
  const most = Math.max(...model.lines.map(shareOf))
  return most > share
    ? lastOf(model.lines.find((line) => shareOf(line) === most) as (typeof model.lines)[number]).id
    : undefined
}

function agree(model: Model, real: Real): void {
  expect(real.bulkhead.inUse).toBe(model.inUse)
  expect(real.bulkhead.waiting).toBe(model.lines.reduce((sum, { waiters }) => sum + waiters.length, 0))
  const wrong = real.clients.find(({ id, fate }) => fate !== model.fates.get(id))
  expect(wrong && { id: wrong.id, is: wrong.fate, should: model.fates.get(wrong.id) }).toBeUndefined()
}

const enter = (tenant: string, rank: Rank): fc.Command<Model, Real> =>
  command<Model, Real>(`enter(${tenant}, ${rank})`, (model, real) => {
    const free = model.inUse < model.limit && model.lines.length === 0
    expect(real.bulkhead.enter()).toBe(free)
    if (free) {
      model.inUse++
      return
    }
    const id = model.made++
    const told = (fate: Fate) => (): void => {
      expect(client.fate).toBe('waiting')
      client.fate = fate
    }
    const client: Client = {
      id,
      tenant,
      rank,
      fate: 'waiting',
      granted: told('granted'),
      displaced: told('displaced'),
      broken: told('broken'),
      shed: told('shed'),
    }
    const waiting = model.lines.reduce((sum, { waiters }) => sum + waiters.length, 0)
    const out = waiting < QUEUE ? undefined : victim(model, tenant, rank)
    const joins = waiting < QUEUE || out !== undefined
    expect(real.bulkhead.wait(client, 0)).toBe(joins)
    if (!joins) return
    if (out !== undefined) drop(model, out, 'displaced')
    real.clients.push(client)
    model.fates.set(id, 'waiting')
    const line = model.lines.find((candidate) => candidate.tenant === tenant)
    if (line === undefined) model.lines.push({ tenant, waiters: [{ id, rank }], turns: weightOf(tenant) })
    else line.waiters.push({ id, rank })
    agree(model, real)
  })

const leave = command<Model, Real>(
  'leave',
  (model, real) => {
    model.inUse--
    grant(model)
    real.bulkhead.leave(100, 0)
    agree(model, real)
  },
  ({ inUse }) => inUse > 0,
)

const abort = (which: number): fc.Command<Model, Real> =>
  command<Model, Real>(`abort(${which})`, (model, real) => {
    const client = real.clients[which % Math.max(1, real.clients.length)]
    if (client === undefined) return
    const waits = client.fate === 'waiting'
    expect(real.bulkhead.giveUp(client)).toBe(waits)
    if (!waits) return
    client.fate = 'left'
    drop(model, client.id, 'left')
    agree(model, real)
  })

const breakUp = command<Model, Real>('breakUp', (model, real) => {
  for (const { waiters } of model.lines) for (const { id } of waiters) model.fates.set(id, 'broken')
  model.lines = []
  real.bulkhead.breakUp()
  agree(model, real)
})

/** Whoever waits is let in at the next chance, and nobody overtakes them until then. */
const resize = (limit: number): fc.Command<Model, Real> =>
  command<Model, Real>(`resize(${limit})`, (model, real) => {
    model.limit = limit
    real.limit.limit = limit
    agree(model, real)
  })

function start(): { model: Model; real: Real } {
  const limit = { limit: 2 }
  const adaptive: AdaptiveLimit = {
    get limit() {
      return limit.limit
    },
    observe: () => {},
  }
  const settings = { ...DEFAULTS.bulkhead, slots: 4, queueSize: QUEUE, tenantWeights: WEIGHTS }
  return {
    model: { limit: 2, inUse: 0, made: 0, lines: [], fates: new Map() },
    real: { limit, bulkhead: new Bulkhead(settings, adaptive), clients: [] },
  }
}

test('a bulkhead does what lists of who waits would: slots, turns, classes, displacement, aborts', () => {
  const rank = fc.constantFrom<Rank>(0, 1, 2)
  const enters = fc.tuple(fc.constantFrom(...TENANTS), rank).map(([tenant, of]) => enter(tenant, of))
  const commands = [
    enters,
    enters,
    enters,
    enters,
    fc.constant(leave),
    fc.constant(leave),
    fc.constant(leave),
    fc.nat(30).map(abort),
    fc.oneof(
      { weight: 4, arbitrary: fc.integer({ min: 1, max: 4 }).map(resize) },
      { weight: 1, arbitrary: fc.constant(breakUp) },
    ),
  ]
  fc.assert(
    fc.property(fc.commands(commands, { maxCommands: 120, size: 'max' }), (list) => fc.modelRun(start, list)),
    { numRuns: 300 },
  )
})

test("cockatiel's bulkhead lets as many in and keeps as many waiting, of calls that nobody aborts", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 5 }),
      fc.nat(5),
      fc.array(fc.boolean(), { maxLength: 60, size: 'max' }),
      async (slots, queueSize, steps) => {
        const nothing = (): void => {}
        const acme = (): SlotWaiter => ({
          tenant: 'acme',
          rank: 1,
          granted: nothing,
          displaced: nothing,
          broken: nothing,
          shed: nothing,
        })
        const ours = new Bulkhead({ ...DEFAULTS.bulkhead, slots, queueSize })
        const theirs = cockatielBulkhead(slots, queueSize)
        const running: (() => void)[] = []
        for (const arrives of steps) {
          if (arrives) {
            void theirs.execute(() => new Promise<void>((resolve) => running.push(resolve))).catch(() => {})
            if (!ours.enter()) ours.wait(acme(), 0)
          } else if (running.length > 0) {
            running.shift()?.()
            ours.leave(10, 0)
          }
          await new Promise((resolve) => setImmediate(resolve))
          expect([ours.inUse, ours.waiting]).toEqual([slots - theirs.executionSlots, queueSize - theirs.queueSlots])
        }
      },
    ),
    { numRuns: 40 },
  )
})
