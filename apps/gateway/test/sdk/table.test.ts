import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { clients } from './clients/clients.ts'
import { CITY, FILLED_CITY, jsonSchema, SAID_OF_TOOLS, TOOLS } from './clients/wishes.ts'
import { sdkRig } from './rig.ts'

const rig = await sdkRig()
afterAll(() => rig.close())
afterEach(() => rig.clear())

/** One red pixel. */
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=='
const PNG_SEEN = `image/png of ${Buffer.from(PNG, 'base64').length} bytes`

const cases = clients(rig.reach).flatMap((client) =>
  [rig.chat, rig.messages].map((target) => ({ client, target, by: client.name, over: target.name })),
)

describe.each(cases)('$by over a $over target', ({ client, target }) => {
  const model = `${target.name}/fake`

  test('text, a system prompt, an output limit, usage and the reason of its end', async () => {
    const said = await client.text({ model, system: 'Be brief.', text: 'Grüße aus 🚃', maxTokens: 77 })
    expect(said).toEqual({ text: 'You said: Grüße aus 🚃', ended: client.ends.stop, inputTokens: 7, outputTokens: 4 })
    expect(target.received()).toMatchObject([
      { model: 'fake', system: 'Be brief.', said: ['Grüße aus 🚃'], maxTokens: 77, streamed: false },
    ])
  })

  test('an answer that its limit cut off', async () => {
    expect((await client.text({ model: `${model}!finish:length`, text: 'x' })).ended).toBe(client.ends.length)
  })

  test('a stream', async () => {
    const pieces: string[] = []
    const said = await client.stream({ model, text: 'Grüße aus 🚃' }, (text) => pieces.push(text))
    expect(pieces.length).toBeGreaterThan(2)
    expect(pieces.join('')).toBe('You said: Grüße aus 🚃')
    const tokens = client.miscounts?.[target.name as 'chat' | 'messages'] ?? { inputTokens: 7, outputTokens: 4 }
    expect(said).toEqual({ text: 'You said: Grüße aus 🚃', ended: client.ends.stop, ...tokens })
    expect(target.received()).toMatchObject([{ streamed: true, said: ['Grüße aus 🚃'] }])
  })

  test.each([
    ['whole', false],
    ['streamed', true],
  ])('two tools called at once, and what they gave: %s', async (_, streamed) => {
    expect(await client.tools({ model, text: 'What is up?' }, streamed)).toBe(SAID_OF_TOOLS)
    const [first, second, ...more] = target.received()
    expect(more).toEqual([])
    expect(first?.streamed).toBe(streamed)
    expect(first?.tools).toMatchObject(
      Object.entries(TOOLS).map(([name, { schema }]) => ({
        name,
        schema: { properties: { ...(jsonSchema(schema).properties as object) } },
      })),
    )
    expect(first?.calls).toEqual([])
    expect(second?.calls).toMatchObject([
      { name: 'weather', input: { city: 'Grüße 🚃', days: 3 } },
      { name: 'news', input: { topic: 'trams' } },
    ])
    expect(second?.results).toEqual([
      { id: second?.calls[0]?.id, text: '3 days of sun in Grüße 🚃' },
      { id: second?.calls[1]?.id, text: 'nothing about trams' },
    ])
  })

  test('an object by a JSON schema', async () => {
    expect(await client.object({ model, text: 'Which town?' })).toEqual(FILLED_CITY)
    const [{ schema } = {}] = target.received()
    expect(Object.keys((schema as { properties: object }).properties)).toEqual(
      Object.keys(jsonSchema(CITY).properties as object),
    )
  })

  test.each([
    ['in base64', { type: 'image/png', base64: PNG }, PNG_SEEN, `data:image/png;base64,${PNG}`],
    ['by its URL', { url: 'https://example.com/cat.png' }, 'https://example.com/cat.png', 'https://example.com/cat.png'],
  ])('an image %s', async (_, image, seen, sent) => {
    expect((await client.text({ model, text: 'What is it?', image })).text).toBe(`I saw ${seen}`)
    expect(target.received()).toMatchObject([{ said: ['What is it?'], images: [sent] }])
  })

  test.each([
    ['status:429', 429],
    ['status:400', 400],
    ['status:401', 502],
    ['status:500', 502],
    ['html', 502],
  ])('%s is an error of the client, with status %i', async (fault, status) => {
    const error = await client.text({ model: `${model}!${fault}`, text: 'x' }).catch((failure: unknown) => failure)
    expect(client.failure(error).status).toBe(status)
  })

  test('a model that nobody serves is 404, in words', async () => {
    const error = await client.text({ model: 'nobody/x', text: 'x' }).catch((failure: unknown) => failure)
    expect(client.failure(error)).toMatchObject({ status: 404, message: expect.stringContaining('nobody/x') })
    expect(target.received()).toEqual([])
  })

  test.each(['end:mid', 'reset:mid', 'error:mid'])(
    'a stream that breaks (%s) is an error, never a quiet end',
    async (fault) => {
      let text = ''
      const stream = client.stream({ model: `${model}!${fault}`, text: 'Grüße aus 🚃' }, (piece) => {
        text += piece
      })
      await expect(stream).rejects.toThrow()
      expect(text).toMatch(/^You/)
      expect(text).not.toContain('🚃')
    },
  )

  test('a client that leaves closes the upstream', async () => {
    const left = new AbortController()
    const stream = client.stream({ model: `${model}!endless:5`, text: 'x' }, () => left.abort(new Error('enough')), left.signal)
    await expect(stream).rejects.toThrow()
    expect((await target.upstream.whenClosed(0)).closedBeforeEnd).toBe(true)
  })
})
