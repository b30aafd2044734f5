import { responseCache } from '@switchyard/cache'
import { cacheMemory } from '@switchyard/cache-memory'
import { definePlugin, type ModelEnding, type Plugin, type Principal } from '@switchyard/contract'
import { startKernel } from '@switchyard/kernel'
import { PLAIN_REPLY, requestBody } from './payloads.ts'

const CALLS = 60_000
const WARM_UP = 20_000
const principal: Principal = { tenant: 'bench', keyId: 'bench', roles: [] }
const ENDING: ModelEnding = {
  outcome: 'complete',
  usage: { inputTokens: 24, outputTokens: 40 },
  usageSource: 'reported',
  finishReason: 'stop',
}
const anything = { '~standard': { version: 1, vendor: 'bench', validate: (value: unknown) => ({ value }) } } as const

/**
 * CPU microseconds that the cache takes for a call that it answers from this process: the call through a kernel with it, less the same call through
 * a kernel without, whose provider replies at once.
 */
export async function hitCostMicros(stream: boolean): Promise<number> {
  const body = requestBody('plain/bench', stream, 0)
  return (
    (await microsOf([responseCache(), cacheMemory(), provider()] as Plugin[], body, stream)) -
    (await microsOf([provider()] as Plugin[], body, false))
  )
}

const provider = definePlugin({
  name: '@switchyard/bench-provider',
  contract: 1,
  options: anything,
  setup: () => ({
    ports: {},
    serves: {
      'model.invoke': async ({ request }) => ({
        status: 200,
        headers: { 'content-type': 'application/json' },
        body: REPLY,
        ended: request.stream ? Promise.resolve(ENDING) : ENDED,
      }),
    },
  }),
})
const REPLY = new TextEncoder().encode(PLAIN_REPLY)
const ENDED = Promise.resolve(ENDING)

async function microsOf(plugins: readonly Plugin[], text: string, stream: boolean): Promise<number> {
  const kernel = await startKernel({ plugins })
  const raw = new TextEncoder().encode(text)
  const body = JSON.parse(text) as Record<string, unknown>
  const headers = { 'content-type': 'application/json', host: 'bench' }
  // What is stored is whole; it answers streams as well.
  const request = { endpoint: 'chat/completions' as const, model: 'plain/bench', body, raw, headers }
  async function call(streamed: boolean): Promise<void> {
    const reply = await kernel.call('model.invoke', {
      target: 'bench-provider',
      request: { ...request, stream: streamed },
      principal,
    })
    if (!(reply.body instanceof Uint8Array)) for await (const _ of reply.body) void _
    await reply.ended
  }
  await call(false)
  for (let at = 0; at < WARM_UP; at += 1) await call(stream)
  const before = process.cpuUsage()
  for (let at = 0; at < CALLS; at += 1) await call(stream)
  const { user, system } = process.cpuUsage(before)
  await kernel.close()
  return (user + system) / CALLS
}
