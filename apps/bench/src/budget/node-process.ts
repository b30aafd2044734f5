import { setTimeout as delay } from 'node:timers/promises'
import { seeded } from '../simulate/seeded.ts'
import { drawCall } from './load.ts'
import { naiveClient } from './naive-client.ts'
import { FAULTS, type NodeMessage, type NodeOrder, type NodeSettings, SCHEMES } from './schemes.ts'
import { switchyardClient } from './switchyard-client.ts'

/** How long a client waits after a refusal before it sends its next call. */
const PAUSE_MS = 40

const settings = JSON.parse(process.argv[2] as string) as NodeSettings
const random = seeded(settings.seed)
const tell = (message: NodeMessage): void => void process.send?.(message)
let going = false
let count = 0

const ours = SCHEMES.find(({ name }) => name === settings.scheme)?.ours === true
const client = await (ours ? switchyardClient(settings) : naiveClient(settings))

async function worker(): Promise<void> {
  while (going) {
    const call = drawCall(`${settings.index}-${settings.start}-${count++}`, random, FAULTS)
    try {
      const outcome = await client.send(call)
      if (outcome === 'done') continue
      tell({ kind: outcome, at: Date.now() })
    } catch (error) {
      tell({ kind: 'failed', at: Date.now(), why: (error as Error).message })
    }
    await delay(PAUSE_MS * (0.5 + random()))
  }
}

let work: Promise<unknown> | undefined
process.on('message', async (order: NodeOrder) => {
  if (order === 'go') {
    going = true
    work = Promise.all(Array.from({ length: settings.concurrent }, worker))
    return
  }
  going = false
  await work
  if (order === 'audit') tell({ kind: 'audit', sums: await client.audit() })
  if (order !== 'end') return
  await client.close()
  process.exit(0)
})
process.on('disconnect', () => process.exit(1))
tell({ kind: 'ready' })
