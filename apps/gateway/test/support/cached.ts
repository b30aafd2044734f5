import { type CacheInput, responseCache } from '@switchyard/cache'
import { cacheMemory } from '@switchyard/cache-memory'
import { catalog, completer, createCatalog } from '@switchyard/catalog'
import { definePlugin, type Plugin } from '@switchyard/contract'
import { openai } from '@switchyard/provider-openai'
import { resilience } from '@switchyard/resilience'
import { type FakeUpstream, type FakeUpstreamOptions, startFakeUpstream } from '@switchyard/testkit'
import { z } from 'zod'
import { type TestGateway, testGateway } from './gateway.ts'

export const KEY = 'sk-of-ann'
export const OTHER_KEY = 'sk-of-bob'
/** May see decisions. */
export const TRACE_KEY = 'sk-of-tess'
export const ADMIN_KEY = 'sk-of-the-operator'

export interface CachedGateway extends TestGateway {
  /** Speaks chat only: `chat/fake`. */
  readonly chat: FakeUpstream
  /** Speaks Anthropic's messages only: `messages/fake`. */
  readonly messages: FakeUpstream
  /** A model call, by default Ann's. */
  ask(endpoint: string, body: object, headers?: Record<string, string>, key?: string): Promise<Answer>
  /** An admin call. */
  admin(
    method: string,
    path: string,
    body?: object,
  ): Promise<{ readonly status: number; readonly body: Record<string, unknown> }>
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** `x-switchyard-cache`, with the level of a hit and the reason of a bypass behind a blank. */
  readonly cache: string
}

export interface CachedOptions {
  readonly cache?: CacheInput
  /** Default: memory. */
  readonly store?: Plugin
  /** Plugins beside the cache, its store, and the two providers. */
  readonly more?: readonly Plugin[]
  readonly upstream?: FakeUpstreamOptions
  /** In the place of an own chat upstream; whoever gives it closes it. */
  readonly chat?: FakeUpstream
  /** Attempts over all targets; default 1. */
  readonly attempts?: number
}

/** A gateway with the cache over two upstreams that answer what they are asked, each request with 7 tokens in and 4 out or so. */
export async function cachedGateway({
  cache,
  store = cacheMemory() as Plugin,
  more = [],
  upstream,
  chat: given,
  attempts = 1,
}: CachedOptions = {}): Promise<CachedGateway> {
  const chat = given ?? (await startFakeUpstream({ attentive: true, endpoints: ['chat/completions'], ...upstream }))
  const messages = await startFakeUpstream({ attentive: true, endpoints: ['messages'], ...upstream })
  const common = { apiKey: 'sk-of-the-upstream', egress: { allow: ['127.0.0.0/8'] } }
  const node = await testGateway(
    [
      resilience({
        retry: { maxAttempts: 1 },
        attempts: { maxAttempts: attempts },
        breaker: { enabled: false },
        quarantine: { enabled: false },
      }),
      responseCache(cache ?? {}),
      store,
      ...more,
      openai({ ...common, provider: 'chat', baseUrl: chat.url, endpoints: ['chat/completions'] }, { as: 'chat' }),
      openai({ ...common, provider: 'messages', baseUrl: messages.url, dialect: 'anthropic' }, { as: 'messages' }),
    ],
    {
      auth: {
        keys: [
          { key: KEY, tenant: 'acme', id: 'ann' },
          { key: OTHER_KEY, tenant: 'acme', id: 'bob' },
          { key: TRACE_KEY, tenant: 'acme', id: 'tess', roles: ['trace'] },
          { key: ADMIN_KEY, tenant: 'ops', id: 'op', roles: ['operator'] },
        ],
      },
    },
  )
  return {
    ...node,
    chat,
    messages,
    async ask(endpoint, body, headers = {}, key = KEY) {
      const reply = await fetch(`${node.url}/v1/${endpoint}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${key}`, ...headers },
        body: JSON.stringify(body),
      })
      return { status: reply.status, headers: reply.headers, text: await reply.text(), cache: cacheOf(reply.headers) }
    },
    async admin(method, path, body) {
      const reply = await fetch(`${node.url}/admin/${path}`, {
        method,
        headers: { authorization: `Bearer ${ADMIN_KEY}`, ...(body !== undefined && { 'content-type': 'application/json' }) },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
      return { status: reply.status, body: (await reply.json()) as Record<string, unknown> }
    },
    async close() {
      await node.close()
      if (given === undefined) await chat.close()
      await messages.close()
    },
  }
}

/** What the headers of a reply say of the cache. */
export function cacheOf(headers: Headers): string {
  const said = ['', '-level', '-reason'].map((name) => headers.get(`x-switchyard-cache${name}`))
  return said.filter((one) => one !== null).join(' ')
}

const { complete } = completer({ asOf: '2026-09-23' })
const known = createCatalog(
  [
    complete({
      provider: 'chat',
      model: 'fake',
      limits: { output: 1_000 },
      prices: [{ perToken: { input: 2_000_000, output: 10_000_000 } }],
    }),
  ],
  { version: 'test-1' },
)
const priceList = definePlugin({
  name: 'prices',
  contract: 1,
  options: z.strictObject({}),
  provides: { catalog },
  setup: () => ({ ports: { catalog: { current: () => known } } }),
})

/** `chat/fake`: 2 USD in and 10 USD out a million tokens. */
export function fakePrices(): Plugin {
  return priceList() as Plugin
}
