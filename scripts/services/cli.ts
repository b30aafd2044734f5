import { acquireService, notRunLine } from './acquire.ts'
import type { ServiceName } from './contract.ts'
import { isAlive } from './processes.ts'
import { endLeftovers, recorded, stopRecorded } from './records.ts'
import { SERVICE_NAMES } from './table.ts'

const USAGE = `usage: services up NAME... | status | down
  up      finds or starts the servers and prints one NAME_URL=... line each; started ones stay until down
  status  what was started here and still runs
  down    ends what was started here
names: ${SERVICE_NAMES.join(', ')}`

async function up(names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => !(SERVICE_NAMES as readonly string[]).includes(name))
  if (names.length === 0 || unknown.length > 0) {
    console.error(unknown.length > 0 ? `no such service: ${unknown.join(', ')}\n${USAGE}` : USAGE)
    return 2
  }
  const running = recorded().filter(({ server, owner }) => owner === undefined && isAlive(server))
  const outcomes = await Promise.all(
    (names as readonly ServiceName[]).map(async (name) => {
      const own = running.find((entry) => entry.name === name)
      if (own === undefined) return acquireService(name, { kept: true })
      return { status: 'ready' as const, name, url: own.url, version: own.version, how: 'started before' }
    }),
  )
  let missing = 0
  for (const outcome of outcomes) {
    if (outcome.status === 'ready') {
      console.error(`${outcome.name} ${outcome.version}, ${outcome.how}`)
      console.log(`${outcome.name.toUpperCase()}_URL=${outcome.url}`)
    } else {
      console.error(notRunLine(outcome))
      missing++
    }
  }
  return missing === 0 ? 0 : 1
}

function status(): number {
  const entries = recorded()
  if (entries.length === 0) console.log('nothing was started here')
  for (const { name, version, url, server, owner } of entries) {
    const state = isAlive(server) ? (owner === undefined || isAlive(owner) ? 'runs' : 'left over') : 'dead'
    console.log(`${name} ${version} ${state}, process ${server.pid}, ${url}`)
  }
  return 0
}

async function down(): Promise<number> {
  await endLeftovers()
  const entries = recorded().filter(({ owner }) => owner === undefined)
  await Promise.all(entries.map(stopRecorded))
  console.log(`ended ${entries.length}`)
  return 0
}

const [command, ...names] = process.argv.slice(2)
try {
  if (command === 'up') process.exitCode = await up(names)
  else if (command === 'status') process.exitCode = status()
  else if (command === 'down') process.exitCode = await down()
  else {
    console.error(USAGE)
    process.exitCode = 2
  }
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}
