import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { responseCache } from '@switchyard/cache'
import { cacheMemory } from '@switchyard/cache-memory'
import { type ModelProvider, type ModelReply, type ModelRequest, type Plugin, SwitchyardError } from '@switchyard/contract'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type CliResult, cli } from './support/cli.ts'
import { type TestGateway, testGateway } from './support/gateway.ts'
import { stubProvider, wholeReply } from './support/stub-provider.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchyard-cache-warm-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

type Json = Record<string, unknown>
const KEY = 'sk-warm-0123456789'
const ENV = { SWITCHYARD_KEY: KEY }

let gateway: TestGateway | undefined
afterEach(async () => {
  await gateway?.close()
  gateway = undefined
})

/** What came up to the model. */
let asked: ModelRequest[] = []
const textOf = ({ body }: ModelRequest): string => (body.messages as { readonly content: string }[])[0]?.content ?? ''

const answer: ModelReply = {
  ...wholeReply({
    id: 'x',
    object: 'chat.completion',
    model: 'x',
    choices: [{ index: 0, message: { role: 'assistant', content: 'yes' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  }),
  ended: Promise.resolve({
    outcome: 'complete',
    usage: { inputTokens: 1, outputTokens: 1 },
    usageSource: 'reported',
    finishReason: 'stop',
  }),
}

async function start(
  invoke: ModelProvider['invoke'] = async () => answer,
  caches: readonly Plugin[] = [cacheMemory(), responseCache()],
): Promise<void> {
  asked = []
  const provider = stubProvider({
    name: 'own',
    invoke: (request, options) => {
      asked.push(request)
      return invoke(request, options)
    },
  })
  gateway = await testGateway([...caches, provider], { auth: { keys: [{ key: KEY, tenant: 'acme' }] } })
}

const chat = (text: string, more: Json = {}): Json => ({ model: 'own/x', messages: [{ role: 'user', content: text }], ...more })

async function warm(
  lines: readonly (Json | string)[],
  args: readonly string[] = [],
  env: NodeJS.ProcessEnv = ENV,
): Promise<CliResult> {
  const path = join(folder, `${Math.random()}.jsonl`)
  await writeFile(path, lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'))
  const url = args.includes('--url') ? [] : ['--url', gateway?.url ?? 'http://127.0.0.1:9']
  return cli(['cache', 'warm', '--log', path, ...url, ...args], folder, env)
}

const warmed = async (...all: Parameters<typeof warm>) => {
  const { out, code, err } = await warm(all[0], ['--json', ...(all[1] ?? [])], all[2])
  return { code, err, ...JSON.parse(out) }
}

describe('switchyard cache warm', () => {
  const lines = [
    chat('one'),
    chat('two', { stream: true, stream_options: { include_usage: true } }),
    { body: chat('one', { user: 'x' }), key: 'a', user: 'ann', headers: { authorization: 'Bearer stolen', cookie: 'c' } },
    chat('warm', { temperature: 1 }),
    '{',
    { body: chat('three'), headers: { 'x-portkey-config': 'pc-1' } },
  ]

  test('sends what differs once, and again costs nothing', async () => {
    await start()
    expect(await warmed(lines)).toMatchObject({
      code: 0,
      requests: 5,
      eligible: 3,
      distinct: 2,
      sent: 2,
      filled: 2,
      kept: 0,
      failed: 0,
    })
    expect(asked.map(textOf).sort()).toEqual(['one', 'two'])
    expect(asked.map(({ stream, body }) => ({ stream, more: body.stream_options }))).toEqual([
      { stream: false },
      { stream: false },
    ])
    expect(JSON.stringify(asked)).not.toMatch(/stolen|cookie/)
    expect(await warmed(lines)).toMatchObject({ code: 0, sent: 2, filled: 0, kept: 2 })
    expect(asked).toHaveLength(2)
    const body = JSON.stringify(chat('two', { stream: true }))
    const { headers } = await fetch(`${gateway?.url}/v1/chat/completions`, {
      method: 'POST',
      body,
      headers: { authorization: `Bearer ${KEY}` },
    })
    expect(headers.get('x-switchyard-cache')).toBe('hit')
    expect((await warm(lines)).out).toMatch(/2 of 2 sent: 0 filled, 2 there before, 0 failed/)
  })

  test('a dry run tells how many and what for, needs no gateway, and sends nothing', async () => {
    await start()
    const priced = [chat('one', { model: 'openai/gpt-4o' }), ...lines]
    const { out, code } = await warm(priced, ['--dry-run', '--url', 'http://127.0.0.1:9'], {})
    expect(code).toBe(0)
    expect(out).toMatch(
      /6 requests, of which a cache keeps 4; 3 distinct, of which 3 would be sent \(4 of the log's requests\)/,
    )
    expect(out).toMatch(/1 lines hold no request \(line 6: the line is no JSON\)/)
    expect(out).toMatch(/Left alone: 1 sampling, 1 upstream-choice/)
    expect(out).toMatch(/openai\/gpt-4o +1 +\$0\.00/)
    expect(out).toMatch(/1 models have no price/)
    expect(JSON.parse((await warm(priced, ['--dry-run', '--json'])).out)).toMatchObject({ dryRun: true, distinct: 3 })
    expect(asked).toEqual([])
  })

  test('a limit takes the most repeated', async () => {
    await start()
    const many = ['a', 'b', 'c', 'b', 'c', 'c'].map((text) => chat(text))
    expect(await warmed(many, ['--limit', '2', '--concurrency', '1'])).toMatchObject({
      distinct: 3,
      chosen: 2,
      chosenRequests: 5,
      sent: 2,
    })
    expect(asked.map(textOf)).toEqual(['b', 'c'])
  })

  test('what several tenants asked is not sent with one key unless one is named', async () => {
    await start()
    const two = [
      { body: chat('one'), tenant: 'acme' },
      { body: chat('two'), tenant: 'other' },
    ]
    expect(await warm(two)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/several tenants, "acme" and "other".*--tenant/),
    })
    expect(asked).toEqual([])
    expect(await warmed(two, ['--tenant', 'acme'])).toMatchObject({ code: 0, sent: 1 })
    expect(asked.map(textOf)).toEqual(['one'])
  })

  test('who is told to come later does', async () => {
    let busy = 3
    await start(async () => {
      busy -= 1
      if (busy >= 0) throw new SwitchyardError('RATE_LIMITED', 'too many', { retryAfterMs: 5 })
      return answer
    })
    expect(await warmed([chat('one'), chat('two')])).toMatchObject({ code: 0, filled: 2, failed: 0 })
    expect(asked).toHaveLength(5)
  })

  test('a refused key, and money that is used up, end it at once with a word', async () => {
    await start()
    const many = Array.from({ length: 30 }, (_, at) => chat(`text ${at}`))
    const refused = await warm(many, [], { SWITCHYARD_KEY: 'sk-other-0123456789' })
    expect(refused.code).toBe(1)
    expect(refused.out).toMatch(/^0 of 30 sent.*\nStopped: the gateway refuses the key \(401/)
    expect(refused.out).not.toMatch(/sk-other/)
    await gateway?.close()
    await start(async () => {
      throw new SwitchyardError('BUDGET_EXCEEDED', 'the budget "small" is used up', { details: { budget: 'small' } })
    })
    const { code, out } = await warm(many, ['--concurrency', '1'])
    expect(code).toBe(1)
    expect(out).toMatch(/Stopped: a budget is used up: the budget "small" is used up/)
    expect(asked).toHaveLength(1)
  })

  test('single failures are named and the rest goes on; where all fail it ends', async () => {
    await start(async ({ body }) => {
      if (textOf({ body } as ModelRequest).startsWith('bad'))
        throw new SwitchyardError('UPSTREAM_REJECTED', 'the model is not for such questions', { details: { status: 400 } })
      return answer
    })
    const mixed = await warm([chat('bad'), chat('good'), chat('bad too')])
    expect(mixed.code).toBe(1)
    expect(mixed.out).toMatch(/3 of 3 sent: 1 filled, 0 there before, 2 failed.*\nFailed: 400/)
    const all = Array.from({ length: 60 }, (_, at) => chat(`bad ${at}`))
    const { sent, stopped, code } = await warmed(all)
    expect({ code, stopped }).toMatchObject({ code: 1, stopped: { code: 'failing' } })
    expect(sent).toBeLessThan(30)
  })

  test('a gateway without a cache, or none at all, is told', async () => {
    await start(undefined, [])
    const many = Array.from({ length: 9 }, (_, at) => chat(`text ${at}`))
    expect((await warm(many, ['--concurrency', '1'])).out).toMatch(
      /^1 of 9 sent.*\nStopped: the gateway says nothing of a cache/,
    )
    expect(await warmed(many, ['--url', 'http://127.0.0.1:9'])).toMatchObject({ code: 1, stopped: { code: 'unreachable' } })
    expect((await warm(many, ['--url', 'http://gateway.example'])).err).toMatch(/use https/)
    expect((await warm(many, ['--url', 'gateway'])).err).toMatch(/is no URL/)
  })

  test('answers that are not kept are told apart', async () => {
    const { models, ...without } = { models: { off: true } }
    expect(without).toEqual({})
    await start(undefined, [cacheMemory(), responseCache({ models })])
    expect(await warmed([chat('one')])).toMatchObject({ code: 0, sent: 1, filled: 0, bypassed: { off: 1 } })
  })

  test('Ctrl-C tells how far it came, and leaves nothing running upstream', async () => {
    let aborted = 0
    await start(async (request, { signal }) => {
      if (textOf(request) === 'text 0') return answer
      process.emit('SIGINT')
      return new Promise((_, reject) =>
        signal?.addEventListener('abort', () => {
          aborted += 1
          reject(signal.reason)
        }),
      )
    })
    const many = Array.from({ length: 9 }, (_, at) => chat(`text ${at}`))
    const before = process.listenerCount('SIGINT')
    const { out, code } = await warm(many, ['--concurrency', '1'])
    expect(code).toBe(130)
    expect(out).toMatch(/^1 of 9 sent: 1 filled.*\nInterrupted\. Run it again to go on/)
    expect(asked).toHaveLength(2)
    await expect.poll(() => aborted).toBe(1)
    expect(process.listenerCount('SIGINT')).toBe(before)
  })
})
