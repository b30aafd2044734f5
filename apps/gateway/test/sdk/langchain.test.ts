import { ChatAnthropic } from '@langchain/anthropic'
import { AIMessage, HumanMessage, ToolMessage } from '@langchain/core/messages'
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { sdkRig } from './rig.ts'

const rig = await sdkRig()
afterAll(() => rig.close())
afterEach(() => rig.clear())

const { url, key } = rig.reach
const configuration = { baseURL: `${url}/v1` }
const byChat = (model: string): ChatOpenAI => new ChatOpenAI({ model, apiKey: key, configuration, maxRetries: 0 })
const byResponses = (model: string): ChatOpenAI =>
  new ChatOpenAI({ model, apiKey: key, configuration, maxRetries: 0, useResponsesApi: true })
const byMessages = (model: string): ChatAnthropic =>
  new ChatAnthropic({ model, apiKey: key, anthropicApiUrl: url, maxRetries: 0, maxTokens: 100 })

/** Their common part: the union of their own methods cannot be called. */
type Make = (model: string) => ChatOpenAI

const TRAM = z.object({ line: z.enum(['six', 'seven']), stops: z.array(z.string()) })
const FILLED_TRAM = { line: 'six', stops: ['Grüße 🚃'] }

const both = [
  { by: 'ChatOpenAI', make: byChat },
  { by: 'ChatOpenAI by responses', make: byResponses },
  { by: 'ChatAnthropic', make: byMessages },
].flatMap(({ by, make }) => [rig.chat, rig.messages].map((target) => ({ by, make: make as Make, target, over: target.name })))

describe.each(both)('$by over a $over target', ({ make, target }) => {
  const model = make(`${target.name}/fake`)

  test('an object by a tool that must be called', async () => {
    const structured = model.withStructuredOutput(TRAM, { method: 'functionCalling', name: 'tram' })
    expect(await structured.invoke('Which tram?')).toEqual(FILLED_TRAM)
    expect(target.received()).toMatchObject([{ tools: [{ name: 'tram' }], schema: undefined }])
  })

  test('an object and the message that it was in', async () => {
    const structured = model.withStructuredOutput(TRAM, { method: 'functionCalling', name: 'tram', includeRaw: true })
    const { raw, parsed } = await structured.invoke('Which tram?')
    expect(parsed).toEqual(FILLED_TRAM)
    expect(AIMessage.isInstance(raw) && raw.tool_calls).toMatchObject([{ name: 'tram', args: FILLED_TRAM }])
  })

  test('a tool by name, and a tool that failed', async () => {
    const tools = [{ name: 'a' }, { name: 'b' }].map(({ name }) => ({
      type: 'function' as const,
      function: { name, parameters: { type: 'object', properties: {} } },
    }))
    const asked = [new HumanMessage('x')]
    const called = await model.bindTools(tools, { tool_choice: 'b' }).invoke(asked)
    expect(called.tool_calls).toMatchObject([{ name: 'b' }])
    const [{ id = '' } = {}] = called.tool_calls ?? []
    const failed = new ToolMessage({ tool_call_id: id, content: 'no such tram', status: 'error' })
    expect((await model.bindTools(tools).invoke([...asked, called, failed])).text).toBe('The tools said: no such tram')
    expect(target.received().at(-1)).toMatchObject({ calls: [{ id, name: 'b' }], results: [{ id, text: 'no such tram' }] })
  })

  test('a second turn, the first handed back as it came', async () => {
    const first = new HumanMessage('One')
    const said = await model.invoke([first])
    expect((await model.invoke([first, said, new HumanMessage('Two')])).text).toBe('You said: Two')
    expect(target.received().at(-1)?.said).toEqual(['One', 'Two'])
  })

  test('several prompts at once', async () => {
    const replies = await model.batch(['one', 'two', 'three'])
    expect(replies.map(({ text }) => text)).toEqual(['You said: one', 'You said: two', 'You said: three'])
  })

  test('an image in the older words', async () => {
    const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } }
    const reply = await model.invoke([new HumanMessage({ content: [{ type: 'text', text: 'What?' }, image] })])
    expect(reply.text).toBe('I saw image/png of 8 bytes')
  })
})

describe('what cannot be carried is refused in words', () => {
  test('JSON without a schema over a messages target, which a chat target answers', async () => {
    const free = (id: string): Promise<unknown> =>
      byChat(id).withStructuredOutput(z.object({}), { method: 'jsonMode' }).invoke('In JSON, please')
    expect(await free('chat/fake')).toEqual({})
    await expect(free('messages/fake')).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining("'response_format.type' cannot be translated"),
    })
    expect(rig.messages.received()).toEqual([])
  })

  test('top_k over a chat target', async () => {
    const chosen = new ChatAnthropic({ model: 'chat/fake', apiKey: key, anthropicApiUrl: url, maxRetries: 0, topK: 5 })
    await expect(chosen.invoke('x')).rejects.toMatchObject({ status: 400, message: expect.stringContaining("'top_k'") })
    expect(rig.chat.received()).toEqual([])
  })

  test('embeddings of a target that has none', async () => {
    const embeddings = new OpenAIEmbeddings({ model: 'chat/fake', apiKey: key, configuration, maxRetries: 0 })
    await expect(embeddings.embedQuery('x')).rejects.toThrow('chat does not serve embeddings')
    expect(rig.chat.upstream.requests).toEqual([])
  })
})

test('embeddings of a target that has them', async () => {
  const embeddings = new OpenAIEmbeddings({ model: 'openai/fake', apiKey: key, configuration, maxRetries: 0 })
  const vectors = await embeddings.embedDocuments(['one', 'two'])
  expect(vectors.map((vector) => vector.length)).toEqual([4, 4])
  expect(rig.openai.upstream.requests.map(({ path }) => path)).toEqual(['/v1/embeddings'])
})
