import { appendFileSync, writeFileSync } from 'node:fs'
import type { ModelReply } from '@switchyard/contract'
import { systemClock } from '@switchyard/testkit'
import { fakeCounters } from './fake-counters.ts'
import { testSqlite } from './sqlite.ts'
import { callOf, endingOf, replyOf, startWorld } from './world.ts'

/**
 * A process to be killed: sends calls and stops for ever at one step of one of them, which it then says in a file. What its upstream
 * billed stands in another, written before the reply is given.
 */
const [folder = '', step = '', count = '3'] = process.argv.slice(2)
const clock = systemClock()
const counters = fakeCounters(clock)
const sqlite = testSqlite(`${folder}/ledger.db`)
const world = await startWorld(
  {
    budgets: [{ name: 'team', level: 'team', limitUsd: 1 }],
    journal: { directory: `${folder}/journal`, fsyncMs: 0 },
    defaultOutputTokens: 50,
  },
  { clock: clock as never, counters, sqlite },
)
let last = false
let stopped = false

/** Stops here where it is the step of the last call. */
async function at(name: string): Promise<void> {
  if (!last || stopped || name !== step) return
  stopped = true
  writeFileSync(`${folder}/stopped`, name)
  await new Promise(() => {})
}

const { reserve } = counters
counters.reserve = async (rows, lease) => {
  await at('before-reserve')
  const reservation = await reserve(rows, lease)
  await at('after-reserve')
  return reservation
}
counters.beforeSettle = () => at('before-settle')
const { settle } = counters
counters.settle = async (id, amounts) => {
  const settlement = await settle(id, amounts)
  await at('after-settle')
  return settlement
}
sqlite.before = async (text) => {
  if (text.startsWith('INSERT INTO switchyard_ledger')) await at('before-insert')
}

async function upstream(id: string): Promise<ModelReply> {
  await at('before-bill')
  appendFileSync(`${folder}/billed`, `${id}\n`)
  await at('after-bill')
  const ending = endingOf({ inputTokens: 1, outputTokens: 100 })
  return replyOf(at('before-end').then(() => ending))
}

for (let index = 1; index <= Number(count); index++) {
  last = index === Number(count)
  const id = `call-${index}`
  await world.send({ ...callOf(), id }, () => upstream(id))
  if (!last) await world.rows()
}
await world.rest()
if (stopped) await new Promise((resolve) => setInterval(resolve, 1_000))
await at('after-end')
await world.rows()
await at('after-insert')
writeFileSync(`${folder}/stopped`, 'end')
await new Promise((resolve) => setInterval(resolve, 1_000))
