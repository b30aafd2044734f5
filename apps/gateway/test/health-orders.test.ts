import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { postgres } from '@switchyard/connector-postgres'
import { sqlite } from '@switchyard/connector-sqlite'
import { health as healthPort, type Plugin, sql } from '@switchyard/contract'
import { health } from '@switchyard/health'
import { type Kernel, startKernel } from '@switchyard/kernel'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { notRunLine, postgresForTests } from '../../../scripts/services/index.ts'

const server = await postgresForTests()
const ADA = { by: 'ada', reason: 'it answers nonsense' }

let kernel: Kernel | undefined
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'orders-'))
})
afterEach(async () => {
  await kernel?.close()
  rmSync(folder, { recursive: true, force: true })
})

/** One gateway after another over one database, as after a restart of all nodes. */
async function survives(connector: () => Plugin): Promise<void> {
  const out = `p/acme/${randomUUID()}`
  const back = `p/acme/${randomUUID()}`
  kernel = await startKernel({ plugins: [connector(), health()] })
  await kernel.get(healthPort).disable(out, ADA)
  await kernel.get(healthPort).disable(back, ADA)
  await kernel.get(healthPort).enable(back, { by: 'grace', reason: 'mended' })
  await kernel.close()
  kernel = await startKernel({ plugins: [connector(), health()] })
  expect(kernel.get(healthPort).of(out)).toMatchObject({ state: 'disabled', reason: ADA.reason })
  expect(kernel.get(healthPort).of(back).state).toBe('healthy')
  await kernel.get(healthPort).enable(out, { by: 'grace', reason: 'mended' })
}

const sqlOf = (name: string, options: Readonly<Record<string, unknown>> = {}): Plugin =>
  postgres({ url: server.status === 'ready' ? server.url : '', ...options }, { as: name })

describe('what a person disabled outlives the gateway', () => {
  test('in a file of sqlite', () => survives(() => sqlite({ path: join(folder, 'orders.db') })))

  test('in postgres', async (context) => {
    if (server.status !== 'ready') context.skip(notRunLine(server))
    const schema = `orders_${randomUUID().replaceAll('-', '')}`
    await using owner = await startKernel({ plugins: [sqlOf('owner')] })
    await owner.get(sql).query(`CREATE SCHEMA ${schema}`)
    try {
      await survives(() => sqlOf('orders', { searchPath: [schema] }))
      await kernel?.close()
    } finally {
      await owner.get(sql).query(`DROP SCHEMA ${schema} CASCADE`)
    }
  })
})
