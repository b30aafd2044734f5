import { readFileSync } from 'node:fs'
import { afterAll, expect, test } from 'vitest'
import { privateRedis } from '../../../scripts/services/index.ts'
import { failureOf, needs, open } from './support/server.ts'

const server = await privateRedis({ tls: true })
needs(server)
afterAll(() => (server.status === 'ready' ? server.stop() : undefined))

test('TLS is spoken with a server of a known authority, and with no other', async () => {
  if (server.status !== 'ready' || server.tls === undefined) return expect.unreachable('no TLS')
  const url = `rediss://localhost:${server.tls.port}`
  const { counters } = await open({ url, tls: { ca: readFileSync(server.tls.ca, 'utf8') } })
  expect(await counters.read(['k'])).toEqual([0n])
  const error = await failureOf(open({ url }))
  expect(error).toMatchObject({ code: 'CONFIG_INVALID' })
  expect((error as Error).message).toMatch(/tls.ca/)
})
