import Anthropic from '@anthropic-ai/sdk'
import { betaZodTool } from '@anthropic-ai/sdk/helpers/beta/zod'
import type { MessageCreateParamsNonStreaming, MessageParam } from '@anthropic-ai/sdk/resources/messages'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { SAID_OF_TOOLS, TOOLS } from './clients/wishes.ts'
import { sdkRig } from './rig.ts'

const rig = await sdkRig()
afterAll(() => rig.close())
afterEach(() => rig.clear())

const both = [rig.chat, rig.messages].map((target) => ({ target, over: target.name }))
const ask = { max_tokens: 100, messages: [{ role: 'user', content: 'Hello' }] as MessageParam[] }

function sdk(apiKey = rig.reach.key): Anthropic {
  return new Anthropic({ baseURL: rig.reach.url, apiKey, maxRetries: 0 })
}

async function failureOf(call: Promise<unknown>): Promise<InstanceType<typeof Anthropic.APIError>> {
  const error = await call.then(
    () => new Error('it did not fail'),
    (failure: unknown) => failure,
  )
  if (error instanceof Anthropic.APIError) return error
  throw error
}

describe('what a chat target cannot be told is refused in the dialect, and reaches a messages target as it is', () => {
  test.each<[string, Partial<MessageCreateParamsNonStreaming>]>([
    ['top_k', { top_k: 5 }],
    ['thread', { thread: { type: 'create' } } as object],
    ['thinking.budget_tokens', { thinking: { type: 'enabled', budget_tokens: 1_024 } }],
    ['tools[0].type', { tools: [{ type: 'web_search_20250305', name: 'web_search' }], tool_choice: { type: 'none' } }],
    ['messages[1]', { messages: [...ask.messages, { role: 'assistant', content: 'It is' }] }],
    [
      'messages[0].content[0].source.type',
      { messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'file', file_id: 'f' } as never }] }] },
    ],
  ])('%s', async (param, more) => {
    const failure = await failureOf(sdk().messages.create({ model: 'chat/fake', ...ask, ...more }))
    expect(failure).toBeInstanceOf(Anthropic.BadRequestError)
    expect(failure.type).toBe('invalid_request_error')
    expect(failure.message).toContain(`'${param}' cannot be translated for a target that speaks chat/completions`)
    expect(rig.chat.received()).toEqual([])

    await sdk().messages.create({ model: 'messages/fake', ...ask, ...more })
    expect(rig.messages.upstream.requests[0]?.body).toMatchObject({ ...ask, ...more, model: 'fake' })
  })

  test('an endpoint that the gateway has not', async () => {
    const failure = await failureOf(sdk().messages.countTokens({ model: 'messages/fake', messages: ask.messages }))
    expect(failure).toBeInstanceOf(Anthropic.NotFoundError)
    expect(failure.type).toBe('not_found_error')
    expect(rig.messages.received()).toEqual([])
  })

  test('a model of a target that serves no chats', async () => {
    const failure = await failureOf(sdk().messages.create({ model: 'nobody/x', ...ask }))
    expect(failure).toBeInstanceOf(Anthropic.NotFoundError)
    expect(failure.type).toBe('not_found_error')
  })
})

describe.each(both)('failures over a $over target', ({ over }) => {
  test.each([
    ['status:429,retry-after:2', Anthropic.RateLimitError, 'rate_limit_error'],
    ['status:400', Anthropic.BadRequestError, 'invalid_request_error'],
    ['status:500', Anthropic.InternalServerError, 'api_error'],
    ['html', Anthropic.InternalServerError, 'api_error'],
  ])('%s', async (fault, kind, type) => {
    const failure = await failureOf(sdk().messages.create({ model: `${over}/fake!${fault}`, ...ask }))
    expect(failure).toBeInstanceOf(kind)
    expect(failure.type).toBe(type)
    expect(failure.requestID).toMatch(/^req_/)
  })

  test('a wrong key, and no key of ours goes up or down', async () => {
    const failure = await failureOf(sdk('sk-wrong').messages.create({ model: `${over}/fake`, ...ask }))
    expect(failure).toBeInstanceOf(Anthropic.AuthenticationError)
    expect(failure.type).toBe('authentication_error')
    expect(rig[over].upstream.requests).toEqual([])
  })

  test('a stream that breaks tells why', async () => {
    const stream = sdk().messages.stream({ model: `${over}/fake!error:mid`, ...ask })
    const failure = await failureOf(stream.finalMessage())
    expect(failure.type).toBe('api_error')
  })
})

describe.each(both)('over a $over target', ({ target, over }) => {
  const model = `${over}/fake`

  test('the tool runner of the beta API', async () => {
    const tools = Object.entries(TOOLS).map(([name, { description, schema, run }]) =>
      betaZodTool({ name, description, inputSchema: schema, run }),
    )
    const final = await sdk().beta.messages.toolRunner({ model, ...ask, tools })
    expect(final.content).toMatchObject([{ type: 'text', text: SAID_OF_TOOLS }])
    expect(target.received()).toHaveLength(2)
    // It begins with a thread that its server is to keep: a messages target may, and over a chat target the SDK does without.
    const threads = target.upstream.requests.map(({ body }) => (body as { thread?: { type: string } }).thread?.type)
    expect(threads).toEqual(over === 'chat' ? [undefined, undefined] : ['create', 'continue'])
  })

  test('a tool that failed', async () => {
    const reply = await sdk().messages.create({
      model,
      max_tokens: 100,
      messages: [
        ...ask.messages,
        { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'f', input: {} }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'no such city', is_error: true }] },
      ],
    })
    const told = over === 'chat' ? 'Error: no such city' : 'no such city'
    expect(reply.content).toMatchObject([{ text: `The tools said: ${told}` }])
  })

  test('one tool by name, and one call at a time', async () => {
    const tools = ['f', 'g'].map((name) => ({ name, input_schema: { type: 'object' as const, properties: {} } }))
    const called = async (tool_choice: Anthropic.ToolChoice): Promise<unknown> => {
      const { content } = await sdk().messages.create({ model, ...ask, tools, tool_choice })
      return content.map((block) => (block.type === 'tool_use' ? block.name : block.type))
    }
    expect(await called({ type: 'tool', name: 'g' })).toEqual(['g'])
    expect(await called({ type: 'any' })).toEqual(['f', 'g'])
    expect(await called({ type: 'auto', disable_parallel_tool_use: true })).toEqual(['f'])
    expect(await called({ type: 'none' })).toEqual(['text'])
  })

  test('events in the order of the dialect', async () => {
    const types: string[] = []
    for await (const { type } of await sdk().messages.create({ model, ...ask, stream: true })) types.push(type)
    expect(types.slice(0, 3)).toEqual(['message_start', 'content_block_start', 'content_block_delta'])
    expect(types.slice(-3)).toEqual(['content_block_stop', 'message_delta', 'message_stop'])
  })
})

test('what a client asks for by anthropic-beta reaches a messages target, its key does not', async () => {
  await sdk().beta.messages.create({ model: 'messages/fake', ...ask, betas: ['context-1m-2025-08-07'] })
  const headers = rig.messages.upstream.requests[0]?.headers ?? {}
  expect(headers['anthropic-beta']).toBe('context-1m-2025-08-07')
  expect(headers['anthropic-version']).toBe('2023-06-01')
  expect(JSON.stringify(headers)).not.toContain(rig.reach.key)
})
