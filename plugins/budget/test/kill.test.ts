import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemClock } from '@switchyard/testkit'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fakeCounters } from './support/fake-counters.ts'
import { testSqlite } from './support/sqlite.ts'
import { keyOf } from './support/sums.ts'
import { callOf, startWorld } from './support/world.ts'

const PROGRAM = fileURLToPath(new URL('support/killed.ts', import.meta.url))
/** What a call costs, and what one is expected to cost that never ended: nano-USD. */
const TRUE = 1_002_000
let folder: string
let child: ChildProcess | undefined
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'budget-'))
})
afterEach(() => {
  child?.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

/** Runs the program until it stands at a step, and kills it there. */
async function killAt(step: string): Promise<void> {
  const running = spawn(process.execPath, ['--conditions=@switchyard/source', '--no-warnings', PROGRAM, folder, step], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  child = running
  const exited = once(running, 'exit')
  while (!existsSync(join(folder, 'stopped'))) {
    if (running.exitCode !== null) throw new Error(`the program ended by itself with ${running.exitCode}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  expect(readFileSync(join(folder, 'stopped'), 'utf8')).toBe(step)
  running.kill('SIGKILL')
  await exited
}

/** Steps of the settle path, and what the third call is in the books afterwards. */
const STEPS: readonly [string, 'nothing' | 'unsettled' | 'attempt'][] = [
  ['before-reserve', 'nothing'],
  ['after-reserve', 'nothing'],
  ['before-bill', 'unsettled'],
  ['after-bill', 'unsettled'],
  ['before-end', 'unsettled'],
  ['before-settle', 'attempt'],
  ['after-settle', 'attempt'],
  ['after-end', 'attempt'],
  ['before-insert', 'attempt'],
  ['after-insert', 'attempt'],
]

describe('a process that is killed', () => {
  test.each(STEPS)('%s: the ledger has what was billed', async (step, becomes) => {
    await killAt(step)
    const clock = systemClock()
    const sqlite = testSqlite(join(folder, 'ledger.db'))
    const counters = fakeCounters(clock)
    const directory = join(folder, 'journal')
    const world = await startWorld(
      { budgets: [{ name: 'team', level: 'team', limitUsd: 1 }], journal: { directory, fsyncMs: 0 }, defaultOutputTokens: 50 },
      { clock: clock as never, counters, sqlite },
    )
    const rows = await world.rows()
    const billed = readFileSync(join(folder, 'billed'), 'utf8').trim().split('\n')
    const kinds = Object.fromEntries(rows.map(({ call_id: id, kind }) => [id, kind]))
    expect(rows).toHaveLength(becomes === 'nothing' ? 2 : 3)
    for (const id of billed) expect(kinds[id]).toBeDefined()
    expect(kinds).toMatchObject({
      'call-1': 'attempt',
      'call-2': 'attempt',
      ...(becomes !== 'nothing' && { 'call-3': becomes }),
    })
    for (const row of rows) {
      if (row.kind === 'attempt') expect(row.charged_nusd).toBe(TRUE)
      else expect(row.charged_nusd).toBe(Math.ceil(Number(row.expected_pusd) / 1_000))
    }
    // The counters are filled from the books, by the first call.
    await world.send(callOf({ model: 'acme/m' }))
    await world.rest()
    const all = await world.rows()
    const spent = all.reduce((sum, row) => sum + BigInt(row.charged_nusd ?? 0), 0n)
    const month = new Date(clock.now()).toISOString().slice(0, 7)
    expect(await counters.read([await keyOf({ sqlite }, 'team', 'blue', month)])).toEqual([spent])
    await world.plugin.close()
    expect(readdirSync(directory)).toEqual([])
  })
})
