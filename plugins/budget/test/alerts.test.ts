import { createHmac, randomBytes } from 'node:crypto'
import { secret } from '@switchyard/contract'
import { recordingLogger, startPlugin, type VirtualClock, virtualClock } from '@switchyard/testkit'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { AnomalyWatch } from '../src/alerts/anomaly-watch.ts'
import { Courier } from '../src/alerts/courier.ts'
import { Deliveries, messageId } from '../src/alerts/deliveries.ts'
import { type AlertInput, alertOptions, anomalyOptions } from '../src/alerts/options.ts'
import { signedHeaders } from '../src/alerts/sign.ts'
import { type BudgetAlert, eventSink, logSink, type Sink, webhookSink } from '../src/alerts/sinks.ts'
import { budget } from '../src/index.ts'
import { migrate } from '../src/ledger/schema.ts'
import { fakeCounters } from './support/fake-counters.ts'
import { book } from './support/ledger-rows.ts'
import { type Receiver, startReceiver } from './support/receiver.ts'
import { type TestSqlite, testSqlite } from './support/sqlite.ts'
import { callOf, endingOf, rejection, replyOf, startWorld, type World } from './support/world.ts'

const KEY = randomBytes(32)
const SECRET = `whsec_${KEY.toString('base64')}`
const START = Date.parse('2026-03-01T12:00:00Z')

let sqlite: TestSqlite
let clock: VirtualClock
let receiver: Receiver
const closing: (() => unknown)[] = []
beforeEach(async () => {
  sqlite = testSqlite()
  clock = virtualClock(START)
  receiver = await startReceiver()
  closing.push(receiver.kill, () => sqlite.close())
  await migrate(sqlite, 'sqlite')
})
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function raise(id = 'a1', payload: object = { budget: 'team', threshold: 0.8 }, kind = 'threshold', at = clock.now()) {
  await sqlite.query(
    'INSERT INTO switchyard_alerts (id, kind, budget, tenant, counter, threshold, payload, at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    [id, kind, 'team', 'acme', id, '0.8', JSON.stringify(payload), at],
  )
}

interface Node {
  readonly courier: Courier
  readonly log: ReturnType<typeof recordingLogger>
  readonly alerts: BudgetAlert[]
}

async function node(
  name: string,
  sinks: (node: Pick<Node, 'log' | 'alerts'>) => readonly Sink[],
  input: AlertInput = {},
): Promise<Node> {
  const log = recordingLogger()
  const alerts: BudgetAlert[] = []
  const deliveries = new Deliveries(sqlite, 'sqlite', name)
  await deliveries.open()
  const options = alertOptions.parse(input)
  const courier = new Courier({ deliveries, sinks: sinks({ log, alerts }), clock, random: () => 0.5, log, options })
  closing.push(() => courier.close())
  return { courier, log, alerts }
}

const hook = (timeoutMs = 10_000): Sink =>
  webhookSink({ name: 'ops', url: receiver.url, secrets: [secret(SECRET)], allow: [] }, { plugin: 'budget', clock, timeoutMs })

interface Row {
  readonly attempts: number
  readonly next_ms: number
  readonly delivered_ms: number | null
  readonly dead_ms: number | null
  readonly last_error: string | null
}
async function rowOf(alertId = 'a1', sink = 'webhook:ops'): Promise<Row> {
  const text = 'SELECT * FROM switchyard_alert_deliveries WHERE alert_id = ? AND sink = ?'
  return (await sqlite.query<Row>(text, [alertId, sink])).rows[0] as Row
}
const closedAt = async (id = 'a1') =>
  (await sqlite.query<{ delivered_ms: number | null }>('SELECT delivered_ms FROM switchyard_alerts WHERE id = ?', [id])).rows[0]
    ?.delivered_ms

/** Checks a message as a receiver does. */
function verified({ headers, body }: Receiver['received'][number], key = KEY): boolean {
  const content = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
  const expected = `v1,${createHmac('sha256', key).update(content).digest('base64')}`
  return String(headers['webhook-signature']).split(' ').includes(expected)
}

describe('a webhook', () => {
  test('gets a signed message that verifies, once', async () => {
    await raise()
    const { courier } = await node('n1', () => [hook()])
    await courier.run()
    await courier.run()
    expect(receiver.received).toHaveLength(1)
    const [message] = receiver.received as [Receiver['received'][number]]
    expect(verified(message)).toBe(true)
    expect(verified(message, randomBytes(32))).toBe(false)
    expect(message.headers).toMatchObject({
      'content-type': 'application/json',
      'webhook-id': messageId('a1', 'webhook:ops'),
      'webhook-timestamp': String(START / 1000),
    })
    expect(JSON.parse(message.body)).toEqual({
      type: 'budget.threshold',
      timestamp: '2026-03-01T12:00:00.000Z',
      data: { budget: 'team', threshold: 0.8 },
    })
    expect(await closedAt()).toBe(START)
  })

  test('that fails is tried again, later each time, under the same id, until it answers', async () => {
    await raise()
    receiver.answer = (response, count) => response.writeHead(count < 3 ? 500 : 200).end('sorry')
    const { courier, log } = await node('n1', () => [hook()])
    await courier.run()
    expect(await rowOf()).toMatchObject({ attempts: 1, next_ms: START + 5_000, last_error: 'the webhook ops answered 500' })
    await courier.run()
    expect(receiver.received).toHaveLength(1)
    await clock.advance(5_000)
    await courier.run()
    expect(await rowOf()).toMatchObject({ attempts: 2, next_ms: START + 15_000 })
    await clock.advance(10_000)
    await courier.run()
    expect(await rowOf()).toMatchObject({ attempts: 3, delivered_ms: START + 15_000 })
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
    expect(receiver.received.every((one) => verified(one))).toBe(true)
    expect(log.records.filter(({ level }) => level === 'warn')).toHaveLength(2)
  })

  test('that says when to come again is heeded', async () => {
    await raise()
    receiver.answer = (response) => response.writeHead(503, { 'retry-after': '120' }).end()
    await (await node('n1', () => [hook()])).courier.run()
    expect((await rowOf()).next_ms).toBe(START + 120_000)
  })

  test('that never takes it is given up for dead, and said so', async () => {
    await raise()
    receiver.answer = (response) => response.writeHead(410).end()
    const { courier, log } = await node('n1', () => [hook()], { maxAttempts: 3 })
    for (let attempt = 0; attempt < 5; attempt++) {
      await courier.run()
      await clock.advance(3_600_000)
    }
    expect(receiver.received).toHaveLength(3)
    expect(await rowOf()).toMatchObject({ attempts: 3, dead_ms: expect.any(Number) })
    expect(log.records.filter(({ level }) => level === 'error')).toHaveLength(1)
    // Nothing is left to look for.
    expect(await closedAt()).toEqual(expect.any(Number))
  })

  test('that was killed gets it when it is back', async () => {
    await raise()
    const { courier } = await node('n1', () => [hook()])
    const { port } = receiver
    await receiver.kill()
    await courier.run()
    expect(await rowOf()).toMatchObject({ attempts: 1, delivered_ms: null })
    receiver = await startReceiver(port)
    closing.push(receiver.kill)
    await clock.advance(5_000)
    await courier.run()
    expect(receiver.received).toHaveLength(1)
  })

  test('that dies in the middle of its answer has not got it', async () => {
    await raise()
    receiver.answer = (response) => response.socket?.destroy()
    await (await node('n1', () => [hook()])).courier.run()
    expect((await rowOf()).delivered_ms).toBeNull()
  })

  test('that is too slow has not got it, and does not hold up the log', async () => {
    await raise()
    receiver.answer = () => {}
    const { courier, log } = await node('n1', (own) => [hook(1_000), logSink(own.log)])
    const running = courier.run()
    await vi.waitFor(() => expect(receiver.received).toHaveLength(1))
    await vi.waitFor(() => expect(log.records.some(({ message }) => message === 'a budget has reached a threshold')).toBe(true))
    await clock.advance(1_000)
    await running
    expect(await rowOf()).toMatchObject({ attempts: 1, delivered_ms: null })
  })

  test('that redirects has not got it, and its secret goes nowhere else', async () => {
    await raise()
    receiver.answer = (response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()
    await (await node('n1', () => [hook()])).courier.run()
    expect(await rowOf()).toMatchObject({ last_error: 'the webhook ops answered 302', delivered_ms: null })
  })
})

describe('two nodes', () => {
  test('never both send', async () => {
    for (let count = 0; count < 20; count++) await raise(`a${count}`)
    const one = await node('n1', () => [hook()])
    const other = await node('n2', () => [hook()])
    await Promise.all([one.courier.run(), other.courier.run(), one.courier.run(), other.courier.run()])
    expect(receiver.received).toHaveLength(20)
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(20)
  })

  test('a node that was killed over a delivery leaves it to the other, once its claim has run out', async () => {
    await raise()
    const deliveries = new Deliveries(sqlite, 'sqlite', 'dead')
    await deliveries.open()
    await deliveries.enter('webhook:ops', 0)
    const [delivery] = await deliveries.due(['webhook:ops'], clock.now())
    if (delivery === undefined) throw new Error('nothing is due')
    expect(await deliveries.claim(delivery, clock.now(), clock.now() + 70_000)).toBe(true)
    expect(await new Deliveries(sqlite, 'sqlite', 'other').claim(delivery, clock.now(), clock.now() + 1)).toBe(false)
    const { courier } = await node('n2', () => [hook()])
    await courier.run()
    expect(receiver.received).toHaveLength(0)
    await clock.advance(70_001)
    await courier.run()
    expect(receiver.received).toHaveLength(1)
    // The dead one comes back, and must not undo what the other did.
    await deliveries.failed(delivery, 'late', clock.now(), clock.now())
    expect(await rowOf()).toMatchObject({ attempts: 2, delivered_ms: START + 70_001, last_error: null })
  })
})

describe('the outbox', () => {
  test('each sink has its own delivery; an alert is closed when all have it', async () => {
    await raise()
    receiver.answer = (response, count) => response.writeHead(count === 1 ? 500 : 200).end()
    const { courier, log, alerts } = await node('n1', (own) => [
      logSink(own.log),
      eventSink((alert) => own.alerts.push(alert)),
      hook(),
    ])
    await courier.run()
    expect(await closedAt()).toBeNull()
    await clock.advance(5_000)
    await courier.run()
    expect(await closedAt()).toBe(START + 5_000)
    expect(alerts).toEqual([expect.objectContaining({ type: 'budget.threshold', data: { budget: 'team', threshold: 0.8 } })])
    expect(log.records.filter(({ message }) => message === 'a budget has reached a threshold')).toHaveLength(1)
  })

  test('what nobody took for a week is no news', async () => {
    await raise('old', {}, 'threshold', START - 8 * 86_400_000)
    const { courier, alerts } = await node('n1', (own) => [eventSink((alert) => own.alerts.push(alert))])
    await courier.run()
    expect(alerts).toEqual([])
  })

  test('a database that is away is tried again, and costs nothing while there is nothing', async () => {
    await raise()
    const { courier, alerts, log } = await node('n1', (own) => [eventSink((alert) => own.alerts.push(alert))])
    sqlite.failure = new Error('away')
    await courier.run()
    expect([alerts.length, log.records.length]).toEqual([0, 1])
    sqlite.failure = undefined
    await courier.run()
    expect(alerts).toHaveLength(1)
    const before = sqlite.statements.length
    await courier.run()
    expect(sqlite.statements.slice(before)).toEqual([
      'SELECT 1 AS one FROM switchyard_alerts WHERE delivered_ms IS NULL LIMIT 1',
    ])
  })
})

describe('anomalies', () => {
  const HOUR = 3_600_000
  const charge = (hoursAgo: number, usd: number, kind = 'attempt') =>
    book(sqlite, [{ at: clock.now() - hoursAgo * HOUR, kind, pico: BigInt(Math.round(usd * 1000)) * 10n ** 9n }])
  const watch = (): AnomalyWatch =>
    new AnomalyWatch({ database: sqlite, dialect: 'sqlite', clock, options: anomalyOptions.parse({}) })

  test('read the history once, and two days after that', async () => {
    await charge(100, 1)
    const one = watch()
    await one.look()
    const before = sqlite.statements.length
    await one.look()
    expect(sqlite.statements.length - before).toBeLessThanOrEqual(3)
  })

  test('raise one alert an episode, whichever node looks, also when late rows move its beginning', async () => {
    for (let hour = 3; hour < 30 * 24; hour += 1) await charge(hour, 0.5 + (hour % 5) / 20)
    const nodes = [watch(), watch()] as const
    const look = async (): Promise<number> => (await nodes[0].look()) + (await nodes[1].look())
    expect(await look()).toBe(0)
    await charge(2, 90)
    expect(await Promise.all(nodes.map((one) => one.look())).then((all) => all.sort())).toEqual([0, 1])
    // It goes on, and a row that came late says that it began before.
    await charge(1, 120)
    await charge(3, 80)
    expect(await look()).toBe(0)
    // A node that was started anew knows of it too.
    expect(await watch().look()).toBe(0)
    await clock.advance(12 * HOUR)
    await charge(2, 95)
    expect(await look()).toBe(1)
    const { courier, alerts } = await node('n1', (own) => [eventSink((alert) => own.alerts.push(alert))])
    await courier.run()
    expect(alerts.map(({ type }) => type)).toEqual(['budget.anomaly', 'budget.anomaly'])
    expect(alerts.find(({ data }) => data.startedAt === '2026-03-01T10:00:00.000Z')?.data).toMatchObject({
      tenant: 'acme',
      by: 'key',
      value: 'key-1',
      peakUsd: 90,
    })
  })
})

describe('the plugin', () => {
  let world: World
  afterEach(() => world?.plugin.close())

  test('tells of a crossed threshold at once, by event and by webhook', async () => {
    const webhooks = [{ name: 'ops', url: receiver.url, secrets: [SECRET] }]
    world = await startWorld(
      { budgets: [{ name: 'team', level: 'team', limitUsd: '0.002', thresholds: [0.5] }], alerts: { webhooks } },
      { sqlite, clock },
    )
    await world.send(callOf(), async () => replyOf(endingOf({ inputTokens: 0, outputTokens: 100 })))
    await vi.waitFor(() => expect(receiver.received).toHaveLength(1))
    expect(JSON.parse(receiver.received[0]?.body ?? '')).toMatchObject({
      type: 'budget.threshold',
      data: { budget: 'team', tenant: 'acme', value: 'blue', threshold: 0.5, limitUsd: '0.002', spentUsd: '0.001' },
    })
    await vi.waitFor(() => expect(world.events('budget:alert')).toHaveLength(1))
  })

  test.each([
    ['an empty secret', { secrets: [''] }],
    ['no secret', { secrets: [] }],
    ['a secret without its prefix', { secrets: [KEY.toString('base64')] }],
    ['a secret that is too short', { secrets: [`whsec_${randomBytes(8).toString('base64')}`] }],
    ['a secret that is no base64', { secrets: ['whsec_ not base64 at all, but long enough'] }],
    ['an empty secret in a Secret', { secrets: [secret('')] }],
    ['plain HTTP to another machine', { url: 'http://hooks.example/' }],
    ['what is no URL', { url: 'hooks' }],
  ])('refuses to start with %s', async (_, more) => {
    const webhook = { name: 'ops', url: receiver.url, secrets: [SECRET], ...more }
    const error = await rejection(
      startPlugin(budget({ alerts: { webhooks: [webhook] } }), { deps: { counters: fakeCounters(clock), sql: sqlite }, clock }),
    )
    expect(String(error)).toMatch(/webhooks/)
    expect(String(error)).not.toContain(KEY.toString('base64'))
  })
})

test('every secret signs', () => {
  const other = randomBytes(24)
  const message = { id: 'msg_1', atMs: 1_999, body: '{}' }
  const headers = signedHeaders(message, [secret(SECRET), secret(`whsec_${other.toString('base64')}`)])
  for (const key of [KEY, other]) expect(verified({ headers, body: '{}' }, key)).toBe(true)
  expect(headers['webhook-timestamp']).toBe('1')
})
