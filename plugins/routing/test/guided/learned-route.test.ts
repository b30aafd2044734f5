import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Call, type ModelReply, type Next, SwitchyardError } from '@switchyard/contract'
import { virtualClock } from '@switchyard/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RouteInput } from '../../src/index.ts'
import { type Arm, dataHashOf, fitRouter, type RouterArtefact, routerArtefact } from '../../src/learned/index.ts'
import { allRows, world } from '../support/learned-world.ts'
import { type Parts, type Router, router, wholeReply } from '../support/route.ts'
import { call, catalogOf, entry, providers, request } from '../support/world.ts'

type ModelCall = Call<'model.invoke'>

const set = world({ answer: 'label', rows: 400, cheap: [0.9, 0.9], strong: 0.9 })
const fitted = fitRouter(set, allRows(set))
const catalog = catalogOf(
  entry('p/strong', { input: 10, output: 10 }),
  entry('p/a', { input: 0.1, output: 0.1 }),
  entry('p/b', { input: 0.2, output: 0.2 }),
)
const PROMPT = set.rows[0]?.prompt as string
const models = { strong: 'p/strong', 'cheap-a': 'p/a', 'cheap-b': 'p/b' }

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'routing-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** An artefact that always takes one arm; the fit around it is a real one. */
function fixed(wanted: (arm: Arm) => boolean, more: Partial<RouterArtefact> = {}): RouterArtefact {
  const artefact = routerArtefact(set, fitted, 0.98, { createdAt: '2026-01-02T03:04:05.000Z', dataHash: dataHashOf(set) })
  const arm = artefact.arms.findIndex(wanted)
  if (arm === -1) throw new Error(`no such arm: ${artefact.arms.map(({ id }) => id).join('; ')}`)
  const policy = { ...artefact.calibration.policy, kind: 'arm' as const, arm, share: 1 }
  const calibration = { ...artefact.calibration, policy, saved: 0.5 }
  return { ...artefact, leastEvidence: 0, norm: { mean: 0, deviation: 0 }, calibration, ...more }
}
const agree = (arm: Arm): boolean => arm.check === 'agree'
const single =
  (model: string) =>
  (arm: Arm): boolean =>
    arm.check === undefined && arm.models[0] === model

let files = 0
async function learned(
  artefact: RouterArtefact,
  route: Partial<RouteInput> & { readonly answer?: 'label' | undefined } = { answer: 'label' },
  parts: Partial<Parts> = {},
): Promise<Router & { readonly path: string }> {
  files += 1
  const path = join(folder, `artefact-${files}.json`)
  await writeFile(path, JSON.stringify(artefact))
  const { answer, ...more } = { answer: 'label' as const, ...route }
  const options = {
    routes: {
      chat: {
        strategy: 'learned',
        targets: ['p/strong', 'p/a', 'p/b'],
        learned: { artefact: path, models, reloadMs: 1_000, ...(answer !== undefined && { answer }) },
        ...more,
      },
    },
  }
  return { path, ...(await router({ options, providers: providers({ p: {} }), catalog, ...parts })) }
}

const asked = (body: Readonly<Record<string, unknown>> = {}): ModelCall =>
  call('routing', request('chat', { messages: [{ role: 'user', content: PROMPT }], ...body }))
const said = (content: string, finish = 'stop'): ModelReply =>
  wholeReply({ choices: [{ message: { role: 'assistant', content }, finish_reason: finish }] }, { finishReason: finish })
const text = (reply: ModelReply): string =>
  JSON.parse(Buffer.from(reply.body as Uint8Array).toString()).choices[0].message.content

/** Upstreams by model, and every call that they got. */
function upstream(answers: Readonly<Record<string, string | Error | ((given: ModelCall) => Promise<ModelReply>)>>): {
  readonly next: Next<'model.invoke'>
  readonly calls: ModelCall[]
} {
  const calls: ModelCall[] = []
  return {
    calls,
    async next(given) {
      calls.push(given)
      const answer = answers[given.request.model]
      if (answer instanceof Error) throw answer
      if (typeof answer === 'function') return await answer(given)
      return said(answer as string)
    },
  }
}
const hangs = (given: ModelCall): Promise<ModelReply> =>
  new Promise((_, reject) => given.signal.addEventListener('abort', () => reject(given.signal.reason)))
const by = (given: ModelCall, decision: string) => given.trace.decisions.filter((one) => one.decision === decision)

describe('a single arm', () => {
  test('comes first, the reference behind it, with the reasons in the trace and in explain', async () => {
    const { through, policy } = await learned(fixed(single('cheap-b')))
    const given = asked()
    const { next, calls } = upstream({ 'p/b': 'A' })
    await through(given, next)
    expect(calls).toHaveLength(1)
    expect(calls[0]).toMatchObject({
      target: 'p',
      attributes: { deployment: 'p/p/b', route: 'chat', arm: 'cheap-b', taskClass: 'label' },
      alternatives: [{ request: { model: 'p/strong' } }, { request: { model: 'p/a' } }],
    })
    const [arm] = by(given, 'arm')
    expect(arm?.because).toMatchObject({ arm: 'cheap-b', taskClass: 'label', thin: false, reasons: [expect.any(String)] })
    const explained = await policy.explain?.(asked())
    expect(explained?.decisions).toEqual(given.trace.decisions.map(({ decision, because }) => ({ decision, because })))
  })

  test('that cannot serve now gives way to the reference, and says so', async () => {
    const { order, policy } = await learned(fixed(single('cheap-b')), {
      targets: ['p/a', 'p/strong', { model: 'p/b', when: { tenants: ['other'] } }],
    })
    expect((await order(asked()))[0]).toBe('p/p/strong')
    const explained = await policy.explain?.(asked())
    expect(JSON.stringify(explained?.decisions)).toContain('cheap-b cannot serve now, so strong')
  })

  test('where evidence is thin it is the reference, and the trace says so', async () => {
    const { through } = await learned(fixed(single('cheap-b'), { leastEvidence: 1_000 }))
    const given = asked()
    const { next, calls } = upstream({ 'p/strong': 'A' })
    await through(given, next)
    expect(calls[0]?.request.model).toBe('p/strong')
    expect(by(given, 'arm')[0]?.because).toMatchObject({ thin: true, reasons: [expect.stringContaining('evidence is thin')] })
  })

  test('traffic that is unlike the fitted rows goes to the reference', async () => {
    const { through } = await learned(fixed(single('cheap-b'), { norm: { mean: 40, deviation: 0.1 } }))
    const { next, calls } = upstream({ 'p/b': 'A', 'p/strong': 'A' })
    for (let index = 0; index < 101; index++) await through(asked(), next)
    expect(calls[0]?.request.model).toBe('p/b')
    expect(calls[100]?.request.model).toBe('p/strong')
  })
})

describe('a cascade', () => {
  test('is accepted where both say the same: the better record’s reply, one attempt each, the strong one never asked', async () => {
    const { through } = await learned(fixed(agree))
    const given = asked()
    const { next, calls } = upstream({ 'p/a': 'A.', 'p/b': ' a ' })
    const reply = await through(given, next)
    expect(['A.', ' a ']).toContain(text(reply))
    expect(calls.map(({ request: { model }, attributes }) => [model, attributes.purpose, attributes.taskClass])).toEqual([
      ['p/a', 'cascade', 'label'],
      ['p/b', 'cascade', 'label'],
    ])
    expect(calls.every((one) => one.attributes.arm === 'agree(cheap-a, cheap-b) -> strong')).toBe(true)
    expect(calls.every(({ alternatives }) => alternatives === undefined)).toBe(true)
    expect(calls[0]?.signal).not.toBe(calls[1]?.signal)
    expect(by(given, 'cascade-accepted')[0]?.because).toMatchObject({
      asked: [
        { deployment: 'p/p/a', outcome: 'answered', inputTokens: 10, outputTokens: 5, picoUsd: 1_500_000 },
        { deployment: 'p/p/b', outcome: 'answered', picoUsd: 3_000_000 },
      ],
    })
  })

  test.each<[string, Parameters<typeof upstream>[0]]>([
    ['they differ', { 'p/a': 'A', 'p/b': 'B' }],
    ['one was cut', { 'p/a': 'A', 'p/b': async () => said('A', 'length') }],
    ['one failed', { 'p/a': 'A', 'p/b': new SwitchyardError('RATE_LIMITED', 'slow down') }],
    ['one has no money left', { 'p/a': 'A', 'p/b': new SwitchyardError('BUDGET_EXCEEDED', 'no') }],
    ['one says nothing', { 'p/a': '', 'p/b': '' }],
    ['one is no JSON', { 'p/a': 'A', 'p/b': async () => wholeReply('<html>') }],
  ])('is refused where %s: the strong one answers, without a purpose', async (_, answers) => {
    const { through } = await learned(fixed(agree))
    const given = asked()
    const { next, calls } = upstream({ ...answers, 'p/strong': 'S' })
    expect(text(await through(given, next))).toBe('S')
    const last = calls.at(-1)
    expect(last).toMatchObject({ request: { model: 'p/strong' }, attributes: { taskClass: 'label' } })
    expect(last?.attributes.purpose).toBeUndefined()
    expect(last?.signal).toBe(given.signal)
    expect(by(given, 'cascade-refused')).toHaveLength(1)
  })

  test('of a call that a policy makes beside a client’s is booked under that call’s purpose; a judge is no cascade', async () => {
    const { through } = await learned(fixed(agree))
    const { next, calls } = upstream({ 'p/a': 'A', 'p/b': 'A', 'p/strong': 'yes' })
    await through({ ...asked(), attributes: { purpose: 'audit', priority: 'low' } }, next)
    expect(calls.map(({ attributes: { purpose, priority } }) => [purpose, priority])).toEqual([
      ['audit', 'low'],
      ['audit', 'low'],
    ])
    await through({ ...asked(), attributes: { purpose: 'judge' } }, next)
    expect(calls.slice(2)).toMatchObject([{ request: { model: 'p/strong' }, attributes: { purpose: 'judge' } }])
  })

  test('does not wait for the other once one has failed, and aborts it', async () => {
    const { through } = await learned(fixed(agree))
    const given = asked()
    const { next, calls } = upstream({ 'p/a': hangs, 'p/b': new SwitchyardError('OVERLOADED', 'x'), 'p/strong': 'S' })
    expect(text(await through(given, next))).toBe('S')
    expect(calls[0]?.signal.aborted).toBe(true)
    expect(by(given, 'cascade-refused')[0]?.because?.asked).toMatchObject([{ outcome: 'aborted' }, { outcome: 'OVERLOADED' }])
  })

  test('does not wait longer for cheap models than is allowed', async () => {
    const clock = virtualClock()
    const { through } = await learned(fixed(agree), {}, { clock })
    const { next, calls } = upstream({ 'p/a': hangs, 'p/b': hangs, 'p/strong': 'S' })
    const reply = through(asked(), next)
    await clock.advance(15_000)
    expect(text(await reply)).toBe('S')
    expect(calls).toHaveLength(3)
  })

  test('ends with its caller: all are aborted, and the strong one is not asked', async () => {
    const { through } = await learned(fixed(agree))
    const leaving = new AbortController()
    const { next, calls } = upstream({ 'p/a': hangs, 'p/b': hangs })
    const reply = through({ ...asked(), signal: leaving.signal }, next)
    await new Promise(setImmediate)
    leaving.abort(new SwitchyardError('ABORTED', 'left'))
    await expect(reply).rejects.toMatchObject({ code: 'ABORTED' })
    expect(calls.map(({ signal }) => signal.aborted)).toEqual([true, true])
  })

  test.each<[string, Readonly<Record<string, unknown>>]>([
    ['several choices', { n: 2 }],
    ['log probabilities', { logprobs: true }],
    ['tools that the provider runs', { tools: [{ type: 'web_search' }] }],
    ['a stream whose answer may be long', { stream: true, max_tokens: 4_000 }],
    ['a stream that does not say how long', { stream: true }],
    ['tool calls, where labels were fitted', { tools: [{ type: 'function', function: { name: 'f' } }] }],
  ])('is never made for %s', async (_, body) => {
    const { through, policy } = await learned(fixed(agree))
    const { next, calls } = upstream({ 'p/strong': 'S' })
    await through(asked(body), next)
    expect(calls.map(({ request: { model } }) => model)).toEqual(['p/strong'])
    expect(JSON.stringify(await policy.explain?.(asked(body)))).toContain('cannot be compared')
  })

  test('nor where the route does not say that its chats have labels for answers', async () => {
    const { through } = await learned(fixed(agree), { answer: undefined })
    const { next, calls } = upstream({ 'p/strong': 'S' })
    await through(asked(), next)
    expect(calls.map(({ request: { model } }) => model)).toEqual(['p/strong'])
  })

  test('serves a brief stream from a whole reply, asked for as one', async () => {
    const { through } = await learned(fixed(agree))
    const { next, calls } = upstream({ 'p/a': 'A', 'p/b': 'A' })
    const body = { stream: true, max_tokens: 10, stream_options: { include_usage: true } }
    const reply = await through(asked(body), next)
    expect(calls[0]?.request).toMatchObject({ stream: false, body: { stream: false, max_tokens: 10 } })
    expect(calls[0]?.request.body.stream_options).toBeUndefined()
    expect(calls[0]?.request.raw).toBeUndefined()
    expect(reply.headers['content-type']).toBe('text/event-stream')
    let wire = ''
    for await (const chunk of reply.body as AsyncIterable<Uint8Array>) wire += Buffer.from(chunk).toString()
    const events = wire.split('\n\n').filter((line) => line !== '')
    expect(events.at(-1)).toBe('data: [DONE]')
    const chunks = events.slice(0, -1).map((event) => JSON.parse(event.slice(6)))
    expect(chunks.slice(0, 2)).toMatchObject([
      { object: 'chat.completion.chunk', choices: [{ delta: { role: 'assistant' }, finish_reason: null }] },
      { choices: [{ delta: { content: 'A' }, finish_reason: null }] },
    ])
  })

  test('is made in no session that a prompt cache is warm for, and pins none itself', async () => {
    const clock = virtualClock()
    const { through } = await learned(fixed(agree), { session: { ttlMs: 1_000 } }, { clock })
    const { next, calls } = upstream({ 'p/a': 'A', 'p/b': 'A', 'p/strong': 'S' })
    const models = async (body: object = {}): Promise<readonly string[]> => {
      calls.length = 0
      await through(asked({ prompt_cache_key: 's', ...body }), next)
      await new Promise(setImmediate)
      return calls.map(({ request: { model } }) => model)
    }
    expect(await models({ n: 2 })).toEqual(['p/strong'])
    expect(await models()).toEqual(['p/strong'])
    await clock.advance(1_000)
    for (let turn = 0; turn < 3; turn++) expect(await models()).toEqual(['p/a', 'p/b'])
  })

  test('a copy that will not be served does not carry the marks of its owner', async () => {
    const mark = Symbol('mark')
    const { through } = await learned(fixed(agree))
    const { next, calls } = upstream({ 'p/a': 'A', 'p/b': 'A' })
    const given = asked()
    await through({ ...given, request: Object.assign({ ...given.request }, { [mark]: true }) }, next)
    expect(calls.filter(({ request: one }) => (one as never)[mark] === true)).toHaveLength(1)
  })

  test('explain says whom it would ask, and asks nobody', async () => {
    const { policy } = await learned(fixed(agree))
    expect((await policy.explain?.(asked()))?.decisions.at(-1)).toEqual({
      decision: 'would-ask-first',
      because: { check: 'agree', asked: ['p/p/a', 'p/p/b'], onRefusal: 'p/p/strong' },
    })
  })
})

describe('the file', () => {
  test.each([
    ['is missing', undefined],
    ['is no JSON', '{'],
    ['is none', '{"schema": "x"}'],
  ])('that %s is refused at start', async (_, content) => {
    files += 1
    const path = join(folder, `bad-${files}.json`)
    if (content !== undefined) await writeFile(path, content)
    const options = { routes: { chat: { strategy: 'learned', targets: ['p/strong'], learned: { artefact: path } } } }
    await expect(router({ options, providers: providers({ p: {} }) })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(path),
    })
  })

  test('is read again when it changes; a bad one leaves the old at work and warns once', async () => {
    const clock = virtualClock()
    const { path, order, log, plugin } = await learned(fixed(single('cheap-a')), {}, { clock })
    const warnings = () => log.records.filter(({ level }) => level === 'warn').length
    const change = async (content: string, second: number): Promise<void> => {
      await writeFile(path, content)
      await utimes(path, second, second)
      for (let tick = 0; tick < 3; tick++) {
        await clock.advance(1_000)
        for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve, 1))
      }
    }
    expect((await order(asked()))[0]).toBe('p/p/a')
    await change('{"schema":', 1_000)
    expect((await order(asked()))[0]).toBe('p/p/a')
    expect(warnings()).toBe(1)
    await change(JSON.stringify(fixed(single('cheap-b'), { createdAt: '2026-02-02T03:04:05.000Z' })), 2_000)
    expect((await order(asked()))[0]).toBe('p/p/b')
    await rm(path)
    await change('', 3_000).catch(() => {})
    expect((await order(asked()))[0]).toBe('p/p/b')
    await plugin.close()
    expect(clock.pending()).toBe(0)
  })
})

describe('the shadow', () => {
  const shadow = { percent: 100, minAgreement: 0.9 }
  const settled = async (): Promise<void> => {
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
  }

  test('asks the reference behind the reply, with a signal, a trace and a purpose of its own', async () => {
    const { through } = await learned(fixed(single('cheap-a')), { shadow })
    const given = asked()
    const { next, calls } = upstream({ 'p/a': 'A', 'p/strong': hangs })
    expect(text(await through(given, next))).toBe('A')
    await settled()
    const [, copy] = calls
    expect(copy).toMatchObject({
      request: { model: 'p/strong', stream: false },
      attributes: { purpose: 'shadow', priority: 'low', arm: 'cheap-a', taskClass: 'label' },
      principal: given.principal,
    })
    expect(copy?.trace).not.toBe(given.trace)
    expect(copy?.signal).not.toBe(given.signal)
    expect(copy?.alternatives).toBeUndefined()
    expect(copy?.deadline).toBeGreaterThan(0)
    expect(by(given, 'shadowed')).toHaveLength(1)
  })

  test('does not follow calls that policies make beside a client’s', async () => {
    const { through } = await learned(fixed(single('cheap-a')), { shadow })
    const { next, calls } = upstream({ 'p/a': 'A', 'p/strong': 'A' })
    for (const purpose of ['audit', 'refresh', 'judge'] as const) await through({ ...asked(), attributes: { purpose } }, next)
    await settled()
    expect(calls.map(({ attributes: { purpose } }) => purpose)).toEqual(['audit', 'refresh', 'judge'])
  })

  test('turns an arm off that disagrees: an event, the trace, and the reference from then on', async () => {
    const { through, plugin, log } = await learned(fixed(single('cheap-a')), { shadow })
    const { next, calls } = upstream({ 'p/a': 'A', 'p/strong': 'B' })
    for (let index = 0; index < 25; index++) {
      await through(asked(), next)
      await settled()
    }
    expect(plugin.emitted).toEqual([
      {
        event: 'arm:off',
        payload: expect.objectContaining({ route: 'chat', taskClass: 'label', arm: 'cheap-a', agreement: 0, target: 0.9 }),
      },
    ])
    expect(log.records.filter(({ level }) => level === 'warn')).toHaveLength(1)
    const after = asked()
    calls.length = 0
    await through(after, next)
    expect(calls[0]?.request.model).toBe('p/strong')
    expect(JSON.stringify(by(after, 'arm'))).toContain('cheap-a was turned off for label')
  })

  test('keeps one on that agrees, and a failing reference says nothing of it', async () => {
    for (const strong of ['A', new SwitchyardError('OVERLOADED', 'x'), '']) {
      const { through, plugin } = await learned(fixed(single('cheap-a')), { shadow })
      const { next } = upstream({ 'p/a': 'A', 'p/strong': strong })
      for (let index = 0; index < 40; index++) {
        await through(asked(), next)
        await settled()
      }
      expect(plugin.emitted).toEqual([])
    }
  })

  test('is bounded: so many at once, each so long, and none after the close', async () => {
    const clock = virtualClock()
    const bounded = { ...shadow, maxInFlight: 2, timeoutMs: 500 }
    const { through, plugin } = await learned(fixed(single('cheap-a')), { shadow: bounded }, { clock })
    const { next, calls } = upstream({ 'p/a': 'A', 'p/strong': hangs })
    const shadows = (): readonly ModelCall[] => calls.filter(({ attributes }) => attributes.purpose === 'shadow')
    for (let index = 0; index < 5; index++) await through(asked(), next)
    await settled()
    expect(shadows()).toHaveLength(2)
    await clock.advance(500)
    expect(shadows().every(({ signal }) => signal.aborted)).toBe(true)
    await through(asked(), next)
    await settled()
    expect(shadows()).toHaveLength(3)
    await plugin.close()
    expect(shadows()[2]?.signal.aborted).toBe(true)
  })

  test('is not asked for what does not compare, nor without being asked for', async () => {
    const { through } = await learned(fixed(single('cheap-a')), { shadow, answer: undefined })
    const off = await learned(fixed(single('cheap-a')))
    const { next, calls } = upstream({ 'p/a': 'A' })
    await through(asked(), next)
    await through(asked({ stream: true }), next)
    await off.through(asked(), next)
    await settled()
    expect(calls).toHaveLength(3)
  })
})
