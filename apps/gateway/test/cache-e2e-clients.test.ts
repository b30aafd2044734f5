import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import type { Said } from './sdk/clients/client.ts'
import { clients } from './sdk/clients/clients.ts'
import { SAID_OF_TOOLS } from './sdk/clients/wishes.ts'
import { cachedGateway, KEY } from './support/cached.ts'

const node = await cachedGateway({ cache: { models: { sampling: 'any', serverState: true, tools: true } } })
afterAll(() => node.close())
beforeEach(() => {
  node.chat.clear()
  node.messages.clear()
})

const cases = clients({ url: node.url, key: KEY }).flatMap((client) =>
  (['chat', 'messages'] as const).map((over) => ({ client, over, by: client.name })),
)

describe.each(cases)('$by over a $over target reads answers from the cache as it reads fresh ones', ({ client, over, by }) => {
  const model = `${over}/fake`

  const ask = (text: string): Promise<Said> => client.text({ model, text, maxTokens: 77 })

  /** Who miscounts the tokens of fresh streams miscounts those of stored ones, and not always alike: they are left out. */
  async function streamed(text: string): Promise<Said & { readonly pieces: string }> {
    let pieces = ''
    const said = await client.stream({ model, text, maxTokens: 77 }, (piece) => {
      pieces += piece
    })
    return { ...said, pieces, ...(client.miscounts !== undefined && { inputTokens: 0, outputTokens: 0 }) }
  }

  test('asked for whole first', async () => {
    const text = `Grüße von ${by}`
    const fresh = await ask(text)
    expect(await ask(text)).toEqual(fresh)
    const replayed = await streamed(text)
    expect(replayed).toMatchObject({ text: fresh.text, pieces: fresh.text, ended: client.ends.stop })
    if (client.miscounts === undefined) expect(replayed).toMatchObject(fresh)
    expect(node[over].requests).toHaveLength(1)
  })

  test('streamed first', async () => {
    const text = `Guten Tag von ${by}`
    const fresh = await streamed(text)
    expect(fresh.pieces).toBe(`You said: ${text}`)
    expect(await streamed(text)).toEqual(fresh)
    const whole = await ask(text)
    expect(whole.text).toBe(fresh.pieces)
    expect(whole.ended).toEqual(client.ends.stop)
    expect(node[over].requests).toHaveLength(1)
  })

  test.each([false, true])('calls of tools, streamed: %s', async (stream) => {
    const text = `What is up, ${by} ${stream}?`
    for (const streamed of [stream, stream, !stream])
      expect(await client.tools({ model, text, maxTokens: 77 }, streamed)).toBe(SAID_OF_TOOLS)
    // Six calls without a cache. Some clients send an answer back in other words where it was streamed, so that a turn behind it is another.
    expect(node[over].requests.length).toBeLessThanOrEqual(4)
  })
})
