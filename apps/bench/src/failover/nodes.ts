import { type CacheAdmin, cacheAdmin, responseCache } from '@switchyard/cache'
import { cacheRedis } from '@switchyard/cache-redis'
import { type Cache, cache, definePlugin, type ModelReply } from '@switchyard/contract'
import { type Kernel, startKernel } from '@switchyard/kernel'
import { secretOf, type Topology } from './topologies.ts'

/** A node of the fleet: a kernel with the cache policy on cache-redis, and an upstream that is slow. */
export interface FleetNode {
  readonly store: Cache
  readonly admin: CacheAdmin
  /** Asks what a document says; resolves with its version, and with where the answer came from. */
  ask(document: number): Promise<{ readonly version: number; readonly level: string }>
  close(): Promise<void>
}

export interface FleetNodeOptions {
  readonly where: Topology['where']
  readonly keyPrefix: string
  /** The version of a document now. */
  versionOf(document: number): number
}

/** Who asks, whose replies are invalidated. */
export const TENANT = 'acme'
const UPSTREAM_MS = 20
const NO_OPTIONS = {
  '~standard': { version: 1, vendor: 'switchyard', validate: (value: unknown) => ({ value: value as object }) },
} as const

/** Starts one. The upstream reads a document when it is asked, and answers later: so some answers are out of date when they come. */
export async function startNode({ where, keyPrefix, versionOf }: FleetNodeOptions): Promise<FleetNode> {
  const upstream = definePlugin({
    name: 'upstream',
    contract: 1,
    options: NO_OPTIONS,
    setup: ({ clock }) => ({
      ports: {},
      serves: {
        'model.invoke': async (call) => {
          const { messages } = (call.request as unknown as { body: { messages: readonly { content: string }[] } }).body
          const version = versionOf(Number(messages[0]?.content))
          await clock.sleep(UPSTREAM_MS, call.signal)
          return answer(version) as never
        },
      },
    }),
  })
  const plugins = [responseCache({ secret: secretOf(keyPrefix) }), cacheRedis({ ...where, keyPrefix }), upstream()]
  const kernel: Kernel = await startKernel({ plugins })
  const principal = { tenant: TENANT, keyId: 'bench', roles: [] }
  return {
    store: kernel.get(cache),
    admin: kernel.get(cacheAdmin),
    async ask(document) {
      const body = { model: 'bench/model', messages: [{ role: 'user', content: String(document) }], temperature: 0 }
      const request = { endpoint: 'chat/completions' as const, model: body.model, body, stream: false }
      const attributes = { cacheTags: `doc:${document}` }
      const reply = await kernel.call('model.invoke', { target: 'upstream', request, principal, attributes })
      const said = JSON.parse(Buffer.from(reply.body as Uint8Array).toString()) as Completion
      const level = reply.headers['x-switchyard-cache-level'] ?? reply.headers['x-switchyard-cache'] ?? 'none'
      return { version: Number(said.choices[0]?.message.content), level }
    },
    close: () => kernel.close(),
  }
}

interface Completion {
  readonly choices: readonly { readonly message: { readonly content: string } }[]
}

function answer(version: number): ModelReply {
  const usage = { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 }
  const message = { role: 'assistant', content: String(version) }
  const said = {
    id: 'chatcmpl-bench',
    object: 'chat.completion',
    created: 1,
    model: 'bench/model',
    choices: [{ index: 0, message, finish_reason: 'stop' }],
    usage,
  }
  const counted = { inputTokens: 5, outputTokens: 1 }
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify(said)),
    ended: Promise.resolve({ outcome: 'complete', usage: counted, usageSource: 'reported', finishReason: 'stop' }),
  }
}
