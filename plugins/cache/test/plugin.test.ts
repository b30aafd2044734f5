import {
  type Call,
  definePlugin,
  type ModelEnding,
  type ModelProvider,
  type ModelReply,
  type ModelRequest,
  model,
  type Plugin,
  type Principal,
  quietTrace,
  SwitchyardError,
} from '@switchyard/contract'
import { startKernel } from '@switchyard/kernel'
import { plainCache, startPlugin, virtualClock } from '@switchyard/testkit'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { type CacheInput, cacheAdmin, responseCache } from '../src/index.ts'
import { storePlugin } from './support/plain-store.ts'

const ENDING: ModelEnding = {
  outcome: 'complete',
  usage: { inputTokens: 3, outputTokens: 2 },
  usageSource: 'reported',
  finishReason: 'stop',
}
const principal: Principal = { tenant: 'acme', keyId: 'k', roles: [] }
const utf8 = new TextEncoder()

function wholeOf(said: string): Uint8Array {
  return utf8.encode(
    JSON.stringify({
      id: 'chatcmpl-1',
      object: 'chat.completion',
      created: 1,
      model: 'm',
      choices: [{ index: 0, message: { role: 'assistant', content: said }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
    }),
  )
}

async function* streamOf(said: string): AsyncGenerator<Uint8Array> {
  const chunk = (delta: object, finish: string | null) =>
    utf8.encode(
      `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`,
    )
  yield chunk({ role: 'assistant', content: '' }, null)
  for (const word of said.split(/(?<= )/)) yield chunk({ content: word }, null)
  yield chunk({}, 'stop')
  yield utf8.encode('data: [DONE]\n\n')
}

async function start(input: CacheInput = {}, forwards: readonly string[] = []) {
  const asked: ModelRequest[] = []
  const provider = definePlugin({
    name: '@switchyard/stub',
    contract: 1,
    options: z.strictObject({}),
    provides: { model },
    setup: () => ({
      ports: {
        model: {
          capabilities: { endpoints: [], streaming: true, models: 'any', listing: false, cancels: true, forwards },
        } as unknown as ModelProvider,
      },
      serves: {
        async 'model.invoke'({ request }): Promise<ModelReply> {
          asked.push(request)
          const said = `answer ${asked.length}`
          const type = request.stream ? 'text/event-stream' : 'application/json'
          return {
            status: 200,
            headers: { 'content-type': type },
            body: request.stream ? streamOf(said) : wholeOf(said),
            ended: Promise.resolve(ENDING),
          }
        },
      },
    }),
  })
  const plugins = [responseCache(input), storePlugin(), provider()] as Plugin[]
  const kernel = await startKernel({ plugins })
  async function ask(content: string, stream = false, more: Partial<Principal> = {}, headers: Record<string, string> = {}) {
    const body = { model: 'm', messages: [{ role: 'user', content }] }
    const request = {
      headers,
      endpoint: 'chat/completions' as const,
      model: 'x/m',
      body,
      raw: utf8.encode(JSON.stringify(body)),
      stream,
    }
    const reply = await kernel.call('model.invoke', { target: 'stub', request, principal: { ...principal, ...more } })
    const parts: Uint8Array[] = []
    if (reply.body instanceof Uint8Array) parts.push(reply.body)
    else for await (const part of reply.body) parts.push(part)
    const ending = await reply.ended
    return {
      text: Buffer.concat(parts).toString(),
      level: reply.headers['x-switchyard-cache-level'],
      ending,
      headers: reply.headers,
    }
  }
  return { kernel, asked, ask, admin: [...kernel.all(cacheAdmin).values()][0] }
}

const said = (text: string): string =>
  text.startsWith('data:')
    ? [...text.matchAll(/"content":"([^"]*)"/g)].map(([, word]) => word).join('')
    : (JSON.parse(text) as { choices: { message: { content: string } }[] }).choices
        .map(({ message }) => message.content)
        .join('')

test('a whole reply is replayed whole and streamed', async () => {
  const { kernel, ask, asked } = await start()
  expect((await ask('one')).headers['x-switchyard-cache']).toBe('miss')
  for (const stream of [false, true]) {
    const again = await ask('one', stream)
    expect(said(again.text)).toBe('answer 1')
    expect(again.level).toBe('l1')
    expect(again.ending).toMatchObject({ outcome: 'complete', usage: { inputTokens: 3, outputTokens: 2 } })
  }
  expect(asked).toHaveLength(1)
  await kernel.close()
})

test('a stream is replayed streamed and whole', async () => {
  const { kernel, ask, asked } = await start()
  expect(said((await ask('one', true)).text)).toBe('answer 1')
  for (const stream of [true, false]) {
    const again = await ask('one', stream)
    expect(said(again.text)).toBe('answer 1')
    expect(again.level).toBe('l1')
  }
  expect(asked).toHaveLength(1)
  await kernel.close()
})

test('another key, user or tenant is asked for itself', async () => {
  const { kernel, ask, asked } = await start()
  await ask('one')
  for (const more of [{ keyId: 'other' }, { tenant: 'other' }]) expect((await ask('one', false, more)).level).toBeUndefined()
  expect(asked).toHaveLength(3)
  await kernel.close()
})

test('what is invalidated is asked anew', async () => {
  const { kernel, ask, asked, admin } = await start()
  await ask('one')
  await ask('two')
  expect(await admin?.invalidate({ tenant: 'acme', models: ['x/m'] }, { by: 'op' })).toMatchObject({ count: 2 })
  await ask('one')
  expect(asked).toHaveLength(3)
  expect(admin?.report().operations['model.invoke']).toMatchObject({ requests: 3, distinct: 2 })
  await kernel.close()
})

test('what a provider hands on of a client’s headers keeps answers apart', async () => {
  const { kernel, ask, asked } = await start({}, ['X-Persona'])
  await ask('one', false, {}, { 'x-persona': 'pirate' })
  expect((await ask('one', false, {}, { 'x-persona': 'poet' })).level).toBeUndefined()
  expect((await ask('one', false, {}, { 'x-persona': 'pirate', 'x-other': '1' })).level).toBe('l1')
  expect(asked).toHaveLength(2)
  await kernel.close()
})

test('a name that stands for something else is asked anew', async () => {
  const clock = virtualClock()
  const cache = plainCache({ now: () => clock.now() })
  const keyOf = async (version: string | undefined): Promise<string | undefined> => {
    const routers = new Map([['r', { routes: () => [], version: (name: string) => (name === 'x/m' ? version : undefined) }]])
    const deps = { cache, providers: new Map(), databases: new Map(), routers }
    const plugin = await startPlugin(responseCache(), { clock, deps })
    const [policy] = plugin.policies
    const body = { model: 'm', messages: [{ role: 'user', content: 'one' }] }
    const call = {
      id: '1',
      operation: 'model.invoke',
      target: 'r',
      request: { endpoint: 'chat/completions', model: 'x/m', body, stream: false },
      principal,
      signal: new AbortController().signal,
      deadline: undefined,
      attempt: 1,
      idempotent: true,
      attributes: {},
      trace: quietTrace(),
    } as Call
    const explained = await policy?.explain?.(call)
    await plugin.close()
    return explained?.decisions[0]?.because?.entry as string
  }
  expect(await keyOf('v1')).toBe(await keyOf('v1'))
  expect(new Set([await keyOf('v1'), await keyOf('v2'), await keyOf(undefined)]).size).toBe(3)
})

test('a tag that a caller gave is deleted by its name, however long a model’s name is', async () => {
  const { kernel, ask, asked, admin } = await start()
  await ask('one', false, {}, { 'x-switchyard-cache-tags': 'doc:42' })
  await admin?.invalidate({ tenant: 'acme', tags: ['doc:42'] }, { by: 'op' })
  await ask('one', false, {}, { 'x-switchyard-cache-tags': 'doc:42' })
  expect(asked).toHaveLength(2)
  await kernel.close()
})

test('options that cannot be are refused at start', async () => {
  await expect(start({ secret: 'short' })).rejects.toThrow(/secret/)
  await expect(start({ sql: { rules: [{ match: { targets: ['nowhere'] }, ttlMs: 1 }] } })).rejects.toThrow(/nowhere/)
  expect(SwitchyardError.is(await start({ lookupTimeoutMs: 0 }).catch((error: unknown) => error), 'CONFIG_INVALID')).toBe(true)
})
