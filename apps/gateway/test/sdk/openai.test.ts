import OpenAI, { toFile } from 'openai'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { sdkRig } from './rig.ts'

const rig = await sdkRig()
afterAll(() => rig.close())
afterEach(() => rig.clear())

const ANSWER = 'Grüße aus dem 🚃-Depot: 你好, "\\n" quoted.'
const messages = [{ role: 'user' as const, content: 'Hello' }]
const tool = { type: 'function' as const, function: { name: 'f', parameters: { type: 'object', properties: {} } } }

function sdk(apiKey = rig.reach.key): OpenAI {
  return new OpenAI({ baseURL: `${rig.reach.url}/v1`, apiKey, maxRetries: 0 })
}

async function failureOf(call: Promise<unknown>): Promise<InstanceType<typeof OpenAI.APIError>> {
  const error = await call.then(
    () => new Error('it did not fail'),
    (failure: unknown) => failure,
  )
  if (error instanceof OpenAI.APIError) return error
  throw error
}

/** Everything that is no chat, by what the SDK calls it. */
const OTHERS: readonly (readonly [string, (client: OpenAI, model: string) => Promise<unknown>])[] = [
  ['completions', (client, model) => client.completions.create({ model, prompt: 'x' })],
  ['embeddings', (client, model) => client.embeddings.create({ model, input: 'x' })],
  ['moderations', (client, model) => client.moderations.create({ model, input: 'x' })],
  ['images/generations', (client, model) => client.images.generate({ model, prompt: 'x' })],
  ['audio/speech', (client, model) => client.audio.speech.create({ model, input: 'x', voice: 'alloy' })],
  [
    'audio/transcriptions',
    async (client, model) => client.audio.transcriptions.create({ model, file: await toFile(Buffer.from('RIFF'), 'a.wav') }),
  ],
]

describe('what cannot be carried is refused in words, before anything goes up', () => {
  test.each(OTHERS.flatMap(([endpoint, call]) => [rig.chat, rig.messages].map(({ name }) => [endpoint, name, call] as const)))(
    '%s over a %s target',
    async (endpoint, target, call) => {
      const failure = await failureOf(call(sdk(), `${target}/fake`))
      expect(failure).toBeInstanceOf(OpenAI.BadRequestError)
      expect(failure.message).toContain(`${target} does not serve ${endpoint}; it serves `)
      expect(rig[target].upstream.requests).toEqual([])
    },
  )

  test.each<[string, Partial<OpenAI.ChatCompletionCreateParamsNonStreaming>]>([
    ['n', { n: 2 }],
    ['seed', { seed: 1 }],
    ['logprobs', { logprobs: true }],
    ['temperature', { temperature: 1.5 }],
    ['response_format.type', { response_format: { type: 'json_object' } }],
    ['modalities', { modalities: ['text', 'audio'] }],
    [
      'messages[0].content[0].type',
      { messages: [{ role: 'user', content: [{ type: 'input_audio', input_audio: { data: '', format: 'wav' } }] }] },
    ],
  ])('chat over a messages target: %s', async (param, more) => {
    const asked = { model: 'messages/fake', messages, ...more }
    const failure = await failureOf(sdk().chat.completions.create(asked))
    expect(failure).toBeInstanceOf(OpenAI.BadRequestError)
    expect(failure).toMatchObject({ param, type: 'invalid_request_error', message: expect.stringContaining(`'${param}'`) })
    expect(rig.messages.received()).toEqual([])
  })

  test.each<[string, Partial<OpenAI.Responses.ResponseCreateParamsNonStreaming>]>([
    ['store', { store: true }],
    ['previous_response_id', { previous_response_id: 'resp_1' }],
    ['conversation', { conversation: 'conv_1' }],
    ['background', { background: true }],
    ['tools[0].type', { tools: [{ type: 'web_search' }] }],
    ['input[0].type', { input: [{ type: 'item_reference', id: 'msg_1' }] }],
  ])('responses: %s', async (param, more) => {
    for (const target of [rig.chat, rig.messages]) {
      const failure = await failureOf(sdk().responses.create({ model: `${target.name}/fake`, input: 'x', ...more }))
      expect(failure).toBeInstanceOf(OpenAI.BadRequestError)
      expect(failure).toMatchObject({ param, message: expect.stringContaining(`'${param}'`) })
      expect(target.received()).toEqual([])
    }
  })

  test('a stored response can be neither fetched nor deleted', async () => {
    for (const call of [sdk().responses.retrieve('resp_1'), sdk().responses.delete('resp_1')])
      expect(await failureOf(call)).toBeInstanceOf(OpenAI.NotFoundError)
  })
})

describe('failures have their classes', () => {
  test.each([rig.chat.name, rig.messages.name])('over a %s target', async (target) => {
    const chat = (fault: string): Promise<unknown> =>
      sdk().chat.completions.create({ model: `${target}/fake!${fault}`, messages })
    const limited = await failureOf(chat('status:429,retry-after:2'))
    expect(limited).toBeInstanceOf(OpenAI.RateLimitError)
    expect(limited.headers?.get('retry-after')).toBe('2')
    expect(limited.requestID).toMatch(/^req_/)
    expect(await failureOf(chat('status:500'))).toBeInstanceOf(OpenAI.InternalServerError)
    const unknown = sdk('sk-wrong').chat.completions.create({ model: `${target}/fake`, messages })
    expect(await failureOf(unknown)).toBeInstanceOf(OpenAI.AuthenticationError)
  })
})

test.each([rig.chat.name, rig.messages.name])('a tool may be demanded or forbidden: %s target', async (target) => {
  const ask = (tool_choice: OpenAI.ChatCompletionToolChoiceOption): Promise<OpenAI.ChatCompletion> =>
    sdk().chat.completions.create({ model: `${target}/fake`, messages, tools: [tool], tool_choice })
  const forced = await ask({ type: 'function', function: { name: 'f' } })
  expect(forced.choices[0]).toMatchObject({ finish_reason: 'tool_calls', message: { content: null } })
  expect((await ask('none')).choices[0]?.message.content).toBe('You said: Hello')
})

describe('over a target that speaks all that OpenAI does', () => {
  const model = 'openai/fake'

  test('completions, whole and streamed', async () => {
    expect((await sdk().completions.create({ model, prompt: 'x' })).choices[0]?.text).toBe(ANSWER)
    let text = ''
    for await (const { choices } of await sdk().completions.create({ model, prompt: 'x', stream: true }))
      text += choices[0]?.text ?? ''
    expect(text).toBe(ANSWER)
  })

  test('responses as they are, stored ones too', async () => {
    const reply = await sdk().responses.create({ model, input: 'x', store: true, previous_response_id: 'resp_1' })
    expect(reply.output_text).toBe(ANSWER)
    const streamed = await sdk().responses.stream({ model, input: 'x' }).finalResponse()
    expect(streamed.output_text).toBe(ANSWER)
    expect(rig.openai.upstream.requests).toMatchObject([
      { path: '/v1/responses', body: { model: 'fake', store: true, previous_response_id: 'resp_1' } },
      { path: '/v1/responses', body: { stream: true } },
    ])
  })

  test('embeddings, as floats and by the base64 that the SDK prefers', async () => {
    const asked = { model, input: ['one', 'two'] }
    const { data, usage } = await sdk().embeddings.create(asked)
    const floats = await sdk().embeddings.create({ ...asked, encoding_format: 'float' })
    expect(data).toHaveLength(2)
    expect(data[0]?.embedding).toEqual(floats.data[0]?.embedding)
    expect(usage.prompt_tokens).toBe(10)
    expect(rig.openai.upstream.requests[0]?.body).toMatchObject({ encoding_format: 'base64' })
  })

  test('moderations and images', async () => {
    const { results } = await sdk().moderations.create({ model, input: ['good', 'bad'] })
    expect(results.map(({ flagged }) => flagged)).toEqual([false, true])
    const { data } = await sdk().images.generate({ model, prompt: 'x', n: 2 })
    expect(data?.map(({ b64_json }) => Buffer.from(b64_json ?? '', 'base64').toString())).toEqual([ANSWER, ANSWER])
    const types: string[] = []
    for await (const { type } of await sdk().images.generate({ model, prompt: 'x', stream: true })) types.push(type)
    expect(types).toEqual(['image_generation.partial_image', 'image_generation.partial_image', 'image_generation.completed'])
  })

  test('speech byte for byte, and a file to be transcribed', async () => {
    const speech = await sdk().audio.speech.create({ model, input: 'x', voice: 'alloy' })
    expect(speech.headers.get('content-type')).toBe('audio/mpeg')
    expect(Buffer.from(await speech.arrayBuffer())).toEqual(Buffer.from(Array.from({ length: 1_024 }, (_, at) => at & 0xff)))
    const file = await toFile(Buffer.from('RIFF'), 'a.wav')
    expect((await sdk().audio.transcriptions.create({ model, file })).text).toBe(ANSWER)
    let text = ''
    for await (const event of await sdk().audio.transcriptions.create({ model, file, stream: true }))
      if (event.type === 'transcript.text.delta') text += event.delta
    expect(text).toBe(ANSWER)
    expect(rig.openai.upstream.requests[1]?.body).toMatchObject({ model: 'fake', file: { name: 'a.wav', size: 4 } })
  })

  test('models are listed', async () => {
    const { data } = await sdk().models.list()
    expect(data.map(({ id }) => id)).toEqual(expect.arrayContaining(['chat/gpt-fake', 'messages/gpt-fake', 'openai/gpt-fake']))
  })
})
