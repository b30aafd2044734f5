import { createHmac, randomBytes } from 'node:crypto'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { postgres } from '@switchyard/connector-postgres'
import { sql } from '@switchyard/contract'
import { startKernel } from '@switchyard/kernel'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { notRunLine, postgresForTests } from '../../../scripts/services/index.ts'
import { booksOn, uniqueName } from './support/books.ts'
import { type TestGateway, testGateway } from './support/gateway.ts'

const server = await postgresForTests()
const PATIENCE = { timeout: 15_000, interval: 50 }
const SECRET = randomBytes(32)
const KEYS = [{ key: 'sk-blue', tenant: 'acme', team: 'blue' }]

const schema = uniqueName('alerts')
const open: TestGateway[] = []
const received: { readonly headers: IncomingHttpHeaders; readonly body: string }[] = []
const hook = createServer((request, response) => {
  let body = ''
  request.setEncoding('utf8')
  request.on('data', (chunk: string) => (body += chunk))
  request.on('end', () => {
    received.push({ headers: request.headers, body })
    // The first time it is not there.
    response.writeHead(received.length === 1 ? 503 : 204).end()
  })
})

describe('two gateways on one PostgreSQL', () => {
  let url = ''
  beforeEach(async (context) => {
    if (server.status !== 'ready') return context.skip(notRunLine(server))
    url = server.url
    await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve))
    await using kernel = await startKernel({ plugins: [postgres({ url })] })
    await kernel.get(sql).query(`CREATE SCHEMA ${schema}`)
  })
  afterEach(async () => {
    for (const gateway of open.splice(0)) await gateway.close()
    hook.close()
    hook.closeAllConnections()
    if (server.status !== 'ready') return
    await using kernel = await startKernel({ plugins: [postgres({ url: server.url })] })
    await kernel.get(sql).query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`)
  })

  test('raise an alert once, and deliver it by one of them, signed, until it has arrived', async () => {
    const { port } = hook.address() as AddressInfo
    const alerts = {
      webhooks: [{ name: 'ops', url: `http://127.0.0.1:${port}/`, secrets: [`whsec_${SECRET.toString('base64')}`] }],
      firstRetryMs: 100,
      pollMs: 100,
    }
    const budgets = [{ name: 'cent', level: 'team', limitUsd: '0.009', thresholds: [0.5] }] as const
    for (let node = 0; node < 2; node++) {
      const plugins = booksOn(postgres({ url, searchPath: [schema] }), { budgets, alerts })
      open.push(await testGateway(plugins, { auth: { keys: KEYS } }))
    }
    // Each node counts for itself, with counters of its own: both cross, and the outbox takes one.
    for (const gateway of open) {
      const body = JSON.stringify({ model: 'own/x', max_tokens: 400, messages: [{ role: 'user', content: 'hi' }] })
      const reply = await fetch(`${gateway.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: 'Bearer sk-blue' },
        body,
      })
      expect(reply.status).toBe(200)
    }
    await expect.poll(() => received.length, PATIENCE).toBe(2)
    const logged = (): number =>
      open.flatMap((gateway) => gateway.logged()).filter(({ alert }) => alert === 'budget.threshold').length
    await expect.poll(logged, PATIENCE).toBe(1)
    // Once it is closed, neither node looks at it again.
    const isClosed = async (): Promise<boolean> => {
      const text = 'SELECT 1 FROM switchyard_alerts WHERE delivered_ms IS NULL'
      return (await open[0]?.gateway.kernel.get(sql).query(text))?.rows.length === 0
    }
    await expect.poll(isClosed, PATIENCE).toBe(true)
    expect([received.length, logged()]).toEqual([2, 1])
    const [first, second] = received
    expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id'])
    for (const { headers, body } of received) {
      const content = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
      expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', SECRET).update(content).digest('base64')}`)
    }
    expect(JSON.parse(second?.body ?? '')).toMatchObject({ type: 'budget.threshold', data: { budget: 'cent', value: 'blue' } })
  })
})
