import { type Health, health } from '@switchyard/contract'
import { createLog, run } from '@switchyard/gateway'

/** `node --expose-gc gateway-process.ts CONFIG PORT`: a gateway that tells of every call, and on demand of what it holds. */
const [, , configPath, port] = process.argv
const tell = (message: object): void => void process.send?.(message)
process.on('disconnect', () => process.exit())
let warnings = 0
process.on('warning', () => {
  warnings += 1
})

const { gateway } = await run({
  configPath,
  env: process.env,
  log: createLog('info'),
  watch: false,
  override: (settings) => ({ ...settings, server: { ...settings.server, port: Number(port) } }),
})
const { kernel } = gateway

const { call } = kernel
// Policies run at once down to the first that waits: what is told after the call was sent is so far on its way.
kernel.call = (operation, init) => {
  const reply = call(operation, init)
  tell({ called: init.id })
  return reply
}
kernel.on('call:ended', ({ call: { id, trace }, outcome }) => {
  const { measures } = trace
  tell({
    ended: id,
    at: performance.timeOrigin + performance.now(),
    outcome,
    attempts: measures.get('attemptCount') ?? 0,
    retries: measures.get('retryCount') ?? 0,
  })
})

process.on('message', async () => {
  for (let round = 0; round < 3; round++) {
    globalThis.gc?.()
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const resources: Record<string, number> = {}
  for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1
  const { callsInFlight } = await kernel.inspect()
  const inFlight = [...(kernel.all(health) as ReadonlyMap<string, Health>).values()]
    .flatMap((source) => source.list())
    .reduce((sum, deployment) => sum + deployment.inFlight, 0)
  tell({ snapshot: { resources, callsInFlight, inFlight, warnings, heapBytes: process.memoryUsage().heapUsed } })
})
