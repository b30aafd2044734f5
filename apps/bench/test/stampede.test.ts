import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { stampedeBench } from '../src/stampede/bench.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchyard-stampede-'))
  vi.spyOn(console, 'log').mockReturnValue()
  // What it says of times says something about this machine.
  vi.spyOn(console, 'error').mockReturnValue()
})
afterAll(async () => {
  process.exitCode = undefined
  await rm(folder, { recursive: true, force: true })
})

test('upstream is asked once a process, or once', { timeout: 60_000 }, async () => {
  const json = join(folder, 'stampede.json')
  const rows = await stampedeBench({ clients: 12, processes: 2, rounds: 1, seed: 1, only: ['local', 'shared'], json })
  expect(JSON.parse(await readFile(json, 'utf8')).rows).toEqual(JSON.parse(JSON.stringify(rows)))
  expect(rows.map(({ sharing, withinMs, upstreamCalls }) => [sharing, withinMs, upstreamCalls])).toEqual([
    ['local', 20, 2],
    ['local', 400, 2],
    ['shared', 20, 1],
    ['shared', 400, 1],
  ])
  for (const row of rows) {
    expect([row.bodiesUnlike, row.failed]).toEqual([0, 0])
    expect(row.firstTokenP99Ms).toBeGreaterThanOrEqual(row.firstTokenP50Ms)
    expect(row.coalesced + row.stored).toBe(12 - row.upstreamCalls)
  }
})
