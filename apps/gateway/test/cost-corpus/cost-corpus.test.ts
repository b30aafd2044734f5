import { type Cost, type Entry, price, seedCatalog, tierOf } from '@switchyard/catalog'
import { type ModelEnding, type ModelProvider, type ModelRequest, model as modelPort } from '@switchyard/contract'
import { openai } from '@switchyard/provider-openai'
import { type StartedPlugin, startPlugin, systemClock } from '@switchyard/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PRICES } from './prices.ts'
import { ROWS, type Row, type Worked } from './rows.ts'
import { startUpstream, type Upstream } from './upstream.ts'
import { type Dialect, type Json, replayOf, requestOf, WORD, WORDS } from './wire.ts'

const ENDPOINTS = { chat: 'chat/completions', responses: 'responses', messages: 'messages' } as const
const NOON = '2026-11-24T12:00:00Z'
const seed = seedCatalog()

let upstream: Upstream
const started = new Map<string, StartedPlugin>()
beforeAll(async () => {
  upstream = await startUpstream()
})
afterAll(async () => {
  for (const plugin of started.values()) await plugin.close()
  await upstream.close()
})

/** The provider of a model, reached directly in its dialect. */
async function providerOf(model: string, dialect: Dialect): Promise<ModelProvider> {
  const provider = model.slice(0, model.indexOf('/'))
  const own = dialect === 'messages' ? ({ dialect: 'anthropic' } as const) : {}
  const options = { ...own, provider, baseUrl: upstream.url, apiKey: 'k', egress: { allow: ['127.0.0.0/8'] } }
  let plugin = started.get(provider)
  if (plugin === undefined) {
    plugin = await startPlugin(openai(options), { clock: systemClock() })
    started.set(provider, plugin)
  }
  return plugin.port(modelPort)
}

function entryOf(model: string): Entry {
  return { ...(seed.get(model) as Entry), prices: PRICES[model] as Entry['prices'] }
}

/** As a ledger would have it: the reply's tier, else the one that was wished for, at the time of the attempt. */
function costOf(model: string, ending: ModelEnding, wished: string | undefined, at: string): Cost | null {
  const tier = tierOf(ending.serviceTier) ?? tierOf(wished)
  return price(entryOf(model), ending.usage, { at: Date.parse(at), tier })
}

/** Sends a row's request; a stream is read to its end, or, when its client is to leave, until all twelve tokens were read. */
async function endingOf(row: Row, stream: boolean, leave: boolean): Promise<ModelEnding> {
  const provider = await providerOf(row.model, row.dialect)
  const body = { ...requestOf(row.dialect, row.model, row.wished), ...(stream && { stream }) }
  const request: ModelRequest = { endpoint: ENDPOINTS[row.dialect], model: row.model, body, stream }
  const leaving = new AbortController()
  const replying = provider.invoke(request, { signal: leaving.signal })
  if (leave && !stream) setImmediate(() => leaving.abort())
  const reply = await replying
  if (!(reply.body instanceof Uint8Array)) {
    let text = ''
    try {
      for await (const chunk of reply.body) {
        text += Buffer.from(chunk).toString()
        if (leave && text.split(WORD).length > WORDS) break
      }
    } catch {
      // its ending says why
    }
  }
  return (await reply.ended) as ModelEnding
}

const worked = ({ of }: Worked): bigint => of.reduce((sum, [quantity, each]) => sum + BigInt(quantity * each), 0n)
const sortedParts = (parts: readonly (readonly [number, number])[]): readonly string[] =>
  parts.map((part) => part.join(' x ')).sort()

function expectCost(row: Row, cost: Cost | null, { of, pico }: Worked): void {
  expect(cost?.pico).toBe(pico)
  expect(sortedParts((cost?.parts ?? []).map(({ quantity, each }) => [quantity, each] as const))).toEqual(sortedParts(of))
  expect(cost?.row?.region, row.name).toBe('*')
}

describe('the table itself', () => {
  test.each(ROWS.map((row) => [row.name, row] as const))('%s: its sums are right', (_, { whole, broken }) => {
    expect(worked(whole)).toBe(whole.pico)
    expect(worked(broken)).toBe(broken.pico)
  })

  test.each(Object.keys(PRICES))('the seed has the prices of %s that the corpus was worked out with', (model) => {
    expect(seed.get(model)?.prices).toEqual(PRICES[model])
  })

  test('every provider is asked for what its dialect tells', () => {
    const told: Record<string, string> = {}
    for (const { model, dialect, feature } of ROWS) {
      const key = `${model.slice(0, model.indexOf('/'))} ${dialect}`
      if (!(told[key] ?? '').includes(feature)) told[key] = [...(told[key]?.split(' ') ?? []), feature].sort().join(' ')
    }
    expect(told).toEqual({
      'openai chat': 'audio cached reasoning tiered',
      'openai responses': 'cached reasoning tiered', // no sound
      'anthropic messages': 'cached reasoning tiered', // no sound
      'google chat': 'audio cached reasoning tiered',
      'deepseek chat': 'cached reasoning tiered', // no sound
      'x-ai chat': 'cached reasoning tiered', // no sound
      'mistral-ai chat': 'audio cached tiered', // counts no reasoning
      'groq chat': 'cached reasoning', // one tier by the seed
      'moonshot chat': 'cached', // counts no reasoning
    })
  })
})

describe.each(ROWS.map((row) => [row.name, row] as const))('%s', (_, row) => {
  const at = row.at ?? NOON
  const replay = replayOf(row.dialect, row.usage, row.tier)

  test.each([false, true])('ok, stream %s', async (stream) => {
    upstream.plays(replay, 'ok')
    const ending = await endingOf(row, stream, false)
    expect(ending).toMatchObject({ outcome: 'complete', usageSource: 'reported' })
    expect(ending).not.toHaveProperty('unreconciled')
    const cost = costOf(row.model, ending, row.wished, at)
    expectCost(row, cost, row.whole)
    expect(cost?.bound).toBe(row.bound ?? 'exact')
  })

  test('error, whole: it rejects, and there is no usage to bill', async () => {
    upstream.plays(replay, 'error')
    await expect(endingOf(row, false, false)).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
  })

  test('error, within a stream: what was said until then is billed, as an estimate', async () => {
    upstream.plays(replay, 'error')
    const ending = await endingOf(row, true, false)
    expect(ending).toMatchObject({ outcome: 'error', usageSource: 'estimated' })
    expectCost(row, costOf(row.model, ending, row.wished, at), row.broken)
  })

  test('client gone before a whole reply: it rejects, and the upstream is left', async () => {
    upstream.plays(replay, 'held')
    await expect(endingOf(row, false, true)).rejects.toMatchObject({ code: 'ABORTED' })
  })

  test('client gone within a stream: what was said until then is billed, as an estimate', async () => {
    upstream.plays(replay, 'held')
    const ending = await endingOf(row, true, true)
    expect(ending).toMatchObject({ outcome: 'aborted', usageSource: 'estimated' })
    expectCost(row, costOf(row.model, ending, row.wished, at), row.broken)
    await upstream.left()
  })
})

describe('other endpoints, and fees', () => {
  type Case = readonly [string, string, ModelRequest['endpoint'], Json, Json, Worked, object]
  test.each<Case>([
    [
      'seconds of speech, to the thousandth',
      'openai/whisper-1',
      'audio/transcriptions',
      {},
      { text: 'a', usage: { type: 'duration', seconds: 8.47 } },
      { of: [[8.47, 100_000_000]], pico: 847_000_000n },
      { bound: 'exact' },
    ],
    [
      'sound and text of a transcript',
      'openai/gpt-4o-transcribe',
      'audio/transcriptions',
      {},
      {
        text: 'a',
        usage: {
          type: 'tokens',
          input_tokens: 14,
          input_token_details: { text_tokens: 4, audio_tokens: 10 },
          output_tokens: 45,
          total_tokens: 59,
        },
      },
      {
        of: [
          [4, 2_500_000],
          [10, 6_000_000],
          [45, 10_000_000],
        ],
        pico: 520_000_000n,
      },
      { bound: 'exact' },
    ],
    [
      'pictures in and out, the latter at the price of output',
      'openai/gpt-image-1',
      'images/generations',
      { prompt: 'a', quality: 'medium', size: '1024x1024' },
      {
        data: [{ b64_json: '' }],
        usage: {
          input_tokens: 50,
          input_tokens_details: { text_tokens: 10, image_tokens: 40 },
          output_tokens: 1056,
          total_tokens: 1106,
        },
      },
      {
        of: [
          [10, 5_000_000],
          [40, 10_000_000],
          [1056, 40_000_000],
        ],
        pico: 42_690_000_000n,
      },
      { bound: 'exact' },
    ],
    [
      'an embedding of 12 tokens, which is less than a micro-dollar',
      'openai/text-embedding-3-small',
      'embeddings',
      { input: 'a' },
      { data: [], usage: { prompt_tokens: 12, total_tokens: 12 } },
      { of: [[12, 20_000]], pico: 240_000n },
      { bound: 'exact' },
    ],
    [
      'searches of a response, not the page that it opened',
      'openai/gpt-5.4',
      'responses',
      { input: 'a' },
      {
        status: 'completed',
        output: [
          { type: 'web_search_call', action: { type: 'search' } },
          { type: 'web_search_call', action: { type: 'open_page' } },
          { type: 'web_search_call', action: { type: 'search' } },
          { type: 'file_search_call' },
        ],
        usage: { input_tokens: 1000, output_tokens: 100, total_tokens: 1100 },
      },
      {
        of: [
          [1000, 2_500_000],
          [100, 15_000_000],
          [2, 10_000_000_000],
          [1, 2_500_000_000],
        ],
        pico: 26_500_000_000n,
      },
      { bound: 'exact' },
    ],
    [
      'searches of Claude',
      'anthropic/claude-sonnet-4-5',
      'messages',
      { messages: [{ role: 'user', content: 'a' }], max_tokens: 9 },
      {
        content: [],
        stop_reason: 'end_turn',
        usage: {
          input_tokens: 500,
          output_tokens: 100,
          cache_read_input_tokens: 0,
          cache_creation_input_tokens: 0,
          server_tool_use: { web_search_requests: 3 },
        },
      },
      {
        of: [
          [500, 3_000_000],
          [100, 15_000_000],
          [3, 10_000_000_000],
        ],
        pico: 33_000_000_000n,
      },
      { bound: 'exact' },
    ],
    [
      'a fee for the request',
      'perplexity-ai/sonar',
      'chat/completions',
      { messages: [{ role: 'user', content: 'a' }] },
      {
        choices: [{ message: { content: 'a' }, finish_reason: 'stop' }],
        usage: { prompt_tokens: 14, completion_tokens: 100, total_tokens: 114, search_context_size: 'high' },
      },
      {
        of: [
          [14, 1_000_000],
          [100, 1_000_000],
          [1, 12_000_000_000],
        ],
        pico: 12_114_000_000n,
      },
      { bound: 'exact' },
    ],
  ])('%s', async (_, model, endpoint, body, reply, expected, more) => {
    upstream.answers(reply)
    const provider = await providerOf(model, endpoint === 'messages' ? 'messages' : 'chat')
    const request: ModelRequest = { endpoint, model, body: { model, ...body }, stream: false }
    const ending = (await (await provider.invoke(request, {})).ended) as ModelEnding
    const cost = costOf(model, ending, undefined, NOON)
    expect(cost).toMatchObject({ pico: expected.pico, unknown: [], ...more })
    expect(sortedParts((cost?.parts ?? []).map(({ quantity, each }) => [quantity, each] as const))).toEqual(
      sortedParts(expected.of),
    )
  })
})
