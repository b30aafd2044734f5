import { createAnthropic } from '@ai-sdk/anthropic'
import { createOpenAI } from '@ai-sdk/openai'
import {
  APICallError,
  embedMany,
  generateImage,
  generateObject,
  generateText,
  isStepCount,
  type LanguageModel,
  Output,
  streamObject,
  streamText,
  tool,
} from 'ai'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { CITY, FILLED_CITY, TOOLS } from './clients/wishes.ts'
import { sdkRig } from './rig.ts'

const rig = await sdkRig()
afterAll(() => rig.close())
afterEach(() => rig.clear())

const openai = createOpenAI({ baseURL: `${rig.reach.url}/v1`, apiKey: rig.reach.key })
const anthropic = createAnthropic({ baseURL: `${rig.reach.url}/v1`, apiKey: rig.reach.key })
const providers: readonly (readonly [string, (id: string) => LanguageModel])[] = [
  ['openai.chat', (id) => openai.chat(id)],
  ['openai, by responses', (id) => openai(id)],
  ['anthropic', (id) => anthropic(id)],
]
const both = providers.flatMap(([by, model]) =>
  [rig.chat, rig.messages].map((target) => ({ by, model, target, over: target.name })),
)

const tools = {
  weather: tool({ description: TOOLS.weather.description, inputSchema: TOOLS.weather.schema, execute: TOOLS.weather.run }),
  news: tool({ description: TOOLS.news.description, inputSchema: TOOLS.news.schema, execute: TOOLS.news.run }),
}

async function failureOf(call: Promise<unknown>): Promise<APICallError> {
  const error = await call.then(
    () => new Error('it did not fail'),
    (failure: unknown) => failure,
  )
  if (APICallError.isInstance(error)) return error
  throw error
}

describe.each(both)('$by over a $over target, with no options', ({ model: provided, target }) => {
  const model = provided(`${target.name}/fake`)
  const asked = { model, prompt: 'Which town?', maxRetries: 0 }

  test('generateObject and streamObject', async () => {
    expect((await generateObject({ ...asked, schema: CITY })).object).toEqual(FILLED_CITY)
    const streamed = streamObject({ ...asked, schema: CITY })
    let partials = 0
    for await (const _ of streamed.partialObjectStream) partials++
    expect(partials).toBeGreaterThan(1)
    expect(await streamed.object).toEqual(FILLED_CITY)
    expect(target.received()).toHaveLength(2)
  })

  test('a streamed output beside text', async () => {
    const { output } = streamText({ ...asked, output: Output.array({ element: CITY }) })
    expect(await output).toEqual([FILLED_CITY])
  })

  test('a demanded tool is called, a forbidden one is not', async () => {
    const forced = await generateText({ ...asked, tools, toolChoice: { type: 'tool', toolName: 'news' } })
    expect(forced.toolCalls).toMatchObject([{ toolName: 'news', input: { topic: 'trams' } }])
    expect(forced.finishReason).toBe('tool-calls')
    const free = await generateText({ ...asked, tools, toolChoice: 'none' })
    expect(free.text).toBe('You said: Which town?')
  })

  test('a tool that fails is told to the model', async () => {
    const failing = tool({
      description: 'fails',
      inputSchema: TOOLS.news.schema,
      execute: (): string => {
        throw new Error('no such city')
      },
    })
    const { text } = await generateText({ ...asked, tools: { failing }, stopWhen: isStepCount(2) })
    expect(text).toContain('no such city')
  })
})

describe('what cannot be carried is refused in words', () => {
  test.each([rig.chat, rig.messages])(
    'turns by reference to what is stored, where nothing is: $name target',
    async (target) => {
      const model = openai(`${target.name}/fake`)
      const first = { role: 'user' as const, content: 'One' }
      const { responseMessages } = await generateText({ model, messages: [first] })
      const next = { model, messages: [first, ...responseMessages, { role: 'user' as const, content: 'Two' }], maxRetries: 0 }
      const failure = await failureOf(generateText(next))
      expect(failure.statusCode).toBe(400)
      expect(failure.message).toContain('nothing is stored, so send the item itself (store: false)')
      expect(target.received()).toHaveLength(1)

      const { text } = await generateText({ ...next, providerOptions: { openai: { store: false } } })
      expect(text).toBe('You said: Two')
      expect(target.received().at(-1)?.said).toEqual(['One', 'Two'])
    },
  )

  test.each([
    ['temperature', { temperature: 1.5 }],
    ['seed', { seed: 1 }],
    ['frequency_penalty', { frequencyPenalty: 1 }],
  ])('%s of a chat over a messages target', async (param, setting) => {
    const call = generateText({ model: openai.chat('messages/fake'), prompt: 'x', maxRetries: 0, ...setting })
    expect((await failureOf(call)).message).toContain(`'${param}' cannot be translated`)
    expect(rig.messages.received()).toEqual([])
  })

  test('thinking by a budget over a chat target, which a messages target gets as it is', async () => {
    const providerOptions = { anthropic: { thinking: { type: 'enabled', budgetTokens: 1_024 } } } as const
    const thoughtful = (id: string): Promise<unknown> =>
      generateText({ model: anthropic(id), prompt: 'x', maxRetries: 0, providerOptions })
    const failure = await failureOf(thoughtful('chat/fake'))
    expect(failure).toMatchObject({ statusCode: 400, message: expect.stringContaining("'thinking.budget_tokens'") })
    await thoughtful('messages/fake')
    expect(rig.messages.upstream.requests[0]?.body).toMatchObject({ thinking: { type: 'enabled', budget_tokens: 1_024 } })
  })

  test('embeddings of a target that has none', async () => {
    const call = embedMany({ model: openai.embedding('messages/fake'), values: ['x'], maxRetries: 0 })
    expect((await failureOf(call)).message).toContain('messages does not serve embeddings')
  })
})

test('embeddings and images of a target that has them', async () => {
  const { embeddings, usage } = await embedMany({ model: openai.embedding('openai/fake'), values: ['one', 'two'] })
  expect(embeddings).toHaveLength(2)
  expect(usage.tokens).toBe(10)
  const { images } = await generateImage({ model: openai.image('openai/fake'), prompt: 'x' })
  expect(images[0]?.uint8Array.length).toBeGreaterThan(10)
  expect(rig.openai.upstream.requests.map(({ path }) => path)).toEqual(['/v1/embeddings', '/v1/images/generations'])
})
