import { openai } from '@switchyard/provider-openai'
import { resilience } from '@switchyard/resilience'
import { type FakeUpstream, type Recorded, startFakeUpstream } from '@switchyard/testkit'
import { testGateway } from '../support/gateway.ts'
import type { Reach } from './clients/client.ts'
import { type Received, receivedChat, receivedMessages } from './received.ts'

const KEY = 'sk-of-the-client'
const UPSTREAM_KEY = 'sk-of-the-upstream'

/** A provider over an upstream that answers what it is asked, and speaks nothing but what it is named for. */
export interface Target {
  /** Models are `NAME/…`. */
  readonly name: 'chat' | 'messages' | 'openai'
  readonly upstream: FakeUpstream
  /** What came up, in the order of coming. Throws where something else came than its endpoint. */
  received(): readonly Received[]
}

export interface Rig {
  readonly reach: Reach
  readonly chat: Target
  readonly messages: Target
  /** Speaks each endpoint that OpenAI has. */
  readonly openai: Target
  /** Forgets what came up. */
  clear(): void
  close(): Promise<void>
}

/** One gateway over three upstreams. Each takes its provider's key only, so that a client's key that went through would be a 401. */
export async function sdkRig(): Promise<Rig> {
  const chat = await startFakeUpstream({ attentive: true, endpoints: ['chat/completions'], requireKey: UPSTREAM_KEY })
  const messages = await startFakeUpstream({ attentive: true, endpoints: ['messages'], requireKey: UPSTREAM_KEY })
  const all = await startFakeUpstream({ requireKey: UPSTREAM_KEY })
  const common = { apiKey: UPSTREAM_KEY, egress: { allow: ['127.0.0.0/8'] } }
  const gateway = await testGateway(
    [
      resilience({ retry: { maxAttempts: 1 }, breaker: { enabled: false }, quarantine: { enabled: false } }),
      openai({ ...common, provider: 'chat', baseUrl: chat.url, endpoints: ['chat/completions'] }, { as: 'chat' }),
      openai({ ...common, provider: 'messages', baseUrl: messages.url, dialect: 'anthropic' }, { as: 'messages' }),
      openai({ ...common, provider: 'openai', baseUrl: all.url }, { as: 'openai' }),
    ],
    { auth: { keys: [{ key: KEY, tenant: 'acme' }] } },
  )
  return {
    reach: { url: gateway.url, key: KEY },
    chat: { name: 'chat', upstream: chat, received: () => only(chat, '/v1/chat/completions').map(receivedChat) },
    messages: { name: 'messages', upstream: messages, received: () => only(messages, '/v1/messages').map(receivedMessages) },
    openai: { name: 'openai', upstream: all, received: () => only(all, '/v1/chat/completions').map(receivedChat) },
    clear() {
      for (const upstream of [chat, messages, all]) upstream.clear()
    },
    async close() {
      await gateway.close()
      for (const upstream of [chat, messages, all]) await upstream.close()
    },
  }
}

function only({ requests }: FakeUpstream, path: string): readonly Recorded[] {
  const stray = requests.find((request) => request.path !== path)
  if (stray !== undefined) throw new Error(`${stray.method} ${stray.path} came up, where ${path} alone is spoken`)
  return requests
}
