import { SwitchyardError } from '@switchyard/contract'
import { afterEach, describe, expect, test } from 'vitest'
import { fakeCache } from './support/fakes.ts'
import { keyOf, type Node, type NodeOptions, startNode } from './support/level.ts'

const open: Node[] = []
const start = async (given?: NodeOptions): Promise<Node> => {
  const node = await startNode(given)
  open.push(node)
  return node
}
afterEach(async () => {
  for (const node of open.splice(0)) {
    await node.plugin.close()
    expect(node.clock.pending()).toBe(0)
  }
})

const bypassed = async (node: Node, text: string, over = {}) => {
  const finding = await node.level.find(node.question(text, over))
  expect(finding).toMatchObject({ outcome: 'bypass', audit: false })
  finding.settle({ key: 'k', answer: 'a', expiresAt: node.clock.now() + 1_000 })
  finding.gone()
  await node.rest()
  return finding.reason
}

describe('a question is left alone, with the reason', () => {
  test('by the question alone, the options and the wish; and nothing of it is indexed', async () => {
    const node = await start({ options: { maxTokens: 16 } })
    expect(await bypassed(node, 'how do i reset it', { epsilon: 0 })).toBe('epsilon')
    expect(await bypassed(node, 'how do i reset it', { epsilon: Number.NaN })).toBe('epsilon')
    expect(await bypassed(node, '?!')).toBe('empty')
    expect(await bypassed(node, 'and that one?', { earlierTurns: true })).toBe('pointing')
    expect(await bypassed(node, 'what about ann@example.com')).toBe('personal')
    expect(await bypassed(node, 'сколько стоит доставка')).toBe('language')
    expect(await bypassed(node, 'word '.repeat(20))).toBe('too-long')
    const messages = Array.from({ length: 4 }, () => ({ role: 'user', content: 'x' }))
    const call = node.question('x').call
    const longer = { ...call, request: { ...call.request, body: { messages } } }
    expect(await bypassed(node, 'how do i reset it', { call: longer })).toBe('turns')
    const responses = { ...call, request: { ...call.request, body: { input: messages } } }
    expect(await bypassed(node, 'how do i reset it', { call: responses })).toBe('turns')
    const exact = await start({ options: { epsilon: 0 } })
    expect(await bypassed(exact, 'how do i reset it', { epsilon: 0.5 })).toBe('epsilon')
    expect([node.index.partitions.size, exact.index.partitions.size]).toEqual([0, 0])
  })

  test('where the assembly has no index, and after the end', async () => {
    const node = await start({ deps: { vectors: undefined } })
    expect(await bypassed(node, 'how do i reset it')).toBe('no-index')
    await node.level.reject({ partition: 'p1', population: 'acme/support', key: 'k' })
    const closed = await start()
    await closed.plugin.close()
    expect(await bypassed(closed, 'how do i reset it')).toBe('closed')
  })

  test('a flood of new questions has its bounds', async () => {
    const node = await start({ options: { maxLookupsPerSecond: 3 } })
    const reasons = async () =>
      (await Promise.all([1, 2, 3, 4, 5].map((at) => node.level.find(node.question(`what is number ${at}`))))).map(
        ({ outcome, reason }) => (outcome === 'bypass' ? reason : outcome),
      )
    expect(await reasons()).toEqual(['miss', 'miss', 'miss', 'busy', 'busy'])
    await node.clock.advance(1_000)
    expect(await reasons()).toEqual(['miss', 'miss', 'miss', 'busy', 'busy'])
    expect(node.level.standings()).toMatchObject([{ requests: 10, lookups: 6, hits: 0, isShadow: true }])
  })
})

describe('an index that fails', () => {
  test('costs a bypass, and after some failures not even a try, until it has had time', async () => {
    const node = await start()
    await node.ask('how do i reset my password', 'so')
    node.index.failing = 'rejects'
    for (let at = 0; at < 6; at += 1) expect(await bypassed(node, 'how do i reset my password')).toBe('index')
    node.index.failing = 'no'
    expect(await bypassed(node, 'how do i reset my password')).toBe('index')
    await node.clock.advance(5_000)
    expect(await node.level.find(node.question('how can i reset my password'))).toMatchObject({
      outcome: 'miss',
      reason: 'shadow',
    })
  })

  test('that hangs is waited for so long and no longer', async () => {
    const node = await start({ options: { lookupTimeoutMs: 50 } })
    node.index.failing = 'hangs'
    const finding = node.level.find(node.question('how do i reset my password'))
    await node.clock.advance(50)
    expect(await finding).toMatchObject({ outcome: 'bypass', reason: 'index' })
  })

  test('writes that fail are nobody’s matter, and those that hang end with the plugin', async () => {
    const node = await start()
    const finding = await node.level.find(node.question('how do i reset my password'))
    node.index.failing = 'hangs'
    expect(() => finding.settle({ key: 'k', answer: 'a', expiresAt: node.clock.now() + 1_000 })).not.toThrow()
    await node.rest()
  })
})

describe('a signal', () => {
  test('that has aborted, or aborts on the way, rejects with its reason', async () => {
    const node = await start()
    const late = new SwitchyardError('TIMEOUT', 'too late')
    await expect(node.level.find(node.question('x'), { signal: AbortSignal.abort(late) })).rejects.toBe(late)
    await expect(node.level.find(node.question('x'), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ABORTED',
    })
    node.index.failing = 'hangs'
    const controller = new AbortController()
    const finding = node.level.find(node.question('how do i reset it'), { signal: controller.signal })
    await node.rest()
    controller.abort(late)
    await expect(finding).rejects.toBe(late)
    node.index.failing = 'no'
    // The client's leaving is no failure of the index.
    expect(await node.level.find(node.question('how do i reset it'))).toMatchObject({ outcome: 'miss' })
  })
})

describe('the index', () => {
  test('partitions never mix: one tenant’s vectors are never found by another, however alike', async () => {
    const node = await start()
    await node.ask('how do i reset my password', 'secret of acme', { partition: 'acme' })
    // The very same text and vector, in another partition of the same population.
    expect(await node.level.find(node.question('how do i reset my password', { partition: 'other' }))).toMatchObject({
      outcome: 'miss',
      reason: 'nothing-near',
      similarity: undefined,
    })
    expect(await node.level.find(node.question('how do i reset my password', { partition: 'acme' }))).toMatchObject({
      reason: 'shadow',
      similarity: expect.closeTo(1, 5),
    })
    expect([...node.index.partitions.keys()]).toEqual(['hashed-ngrams-1024-v1:acme'])
  })

  test('payloads of another version, or of nobody, are passed over and removed', async () => {
    const node = await start()
    await node.ask('how do i reset my password', 'so')
    const [where, held] = [...node.index.partitions][0] as [string, Map<string, never>]
    const [right] = [...held.values()] as unknown as [{ id: string; vector: Float32Array; payload: Uint8Array }]
    const text = new TextDecoder().decode(right.payload)
    const wrong = [
      undefined,
      new Uint8Array([255, 254]),
      new TextEncoder().encode('null'),
      new TextEncoder().encode(text.replace('"v":1', '"v":2')),
      new TextEncoder().encode(text.replace(/"t":"[^"]*"/, '"t":7')),
      new TextEncoder().encode(text.replace(/"g":"[^"]*"/, '"g":"short"')),
    ]
    for (const [at, payload] of wrong.entries())
      await node.index.upsert(where, [{ id: `wrong-${at}`, vector: right.vector, ...(payload && { payload }) }])
    expect(await node.level.find(node.question('how can i reset my password'))).toMatchObject({
      outcome: 'miss',
      reason: 'shadow',
    })
    await node.rest()
    expect([...held.keys()]).toEqual([right.id])
  })

  test('a veto keeps a near one off, by name', async () => {
    const node = await start()
    await node.ask('how do i enable two factor login', 'so')
    expect(await node.level.find(node.question('how do i disable two factor login'))).toMatchObject({
      outcome: 'miss',
      reason: 'opposites',
      similarity: undefined,
    })
  })

  test('a question is found by others from the moment it is indexed until its answer expires', async () => {
    const node = await start()
    await node.ask('how do i reset my password', 'so')
    expect(await node.level.find(node.question('how can i reset my password'))).toMatchObject({ reason: 'shadow' })
    await node.clock.advance(3_600_000)
    expect(await node.level.find(node.question('how can i reset my password'))).toMatchObject({ reason: 'nothing-near' })
    const finding = await node.level.find(node.question('where is my parcel'))
    finding.settle({ key: 'k', answer: 'a', expiresAt: node.clock.now() })
    await node.rest()
    expect(await node.level.find(node.question('where is my parcel'))).toMatchObject({ reason: 'nothing-near' })
  })

  test('a miss settles once, and without an answer not at all', async () => {
    const node = await start()
    const finding = await node.level.find(node.question('how do i reset my password'))
    finding.settle(undefined)
    finding.settle({ key: 'k', answer: 'a', expiresAt: node.clock.now() + 1_000 })
    await node.rest()
    expect(node.index.partitions.size).toBe(0)
  })

  test('reject takes an entry out, counts it against its group, and says so; also where the index is away at first', async () => {
    const node = await start()
    await node.ask('how do i reset my password', 'so')
    const question = node.question('how do i reset my password')
    node.index.failing = 'rejects'
    const rejected = node.level.reject({ partition: 'p1', population: 'acme/support', key: keyOf(question) })
    await node.rest()
    node.index.failing = 'no'
    // Here it is passed over at once.
    expect(await node.level.find(node.question('how can i reset my password'))).toMatchObject({ reason: 'nothing-near' })
    await node.clock.advance(1_000)
    await rejected
    expect([...(node.index.partitions.values().next().value as Map<string, unknown>).keys()]).toEqual([])
    expect(node.plugin.emitted).toMatchObject([
      { event: 'cache:wrong-hit', payload: { plugin: 'cache-semantic', key: keyOf(question), foundBy: 'feedback' } },
    ])
    // Answered anew, it is found again.
    await node.ask('how do i reset my password', 'so')
    expect(await node.level.find(node.question('how can i reset my password'))).toMatchObject({ reason: 'shadow' })
  })
})

describe('a removal that the index does not take', () => {
  test('rejects after some tries, and is logged', async () => {
    const node = await start()
    await node.ask('how do i reset my password', 'so')
    node.index.failing = 'rejects'
    const rejected = node.level.reject({ partition: 'p1', population: 'acme/support', key: 'p1|how do i reset my password' })
    const refused = expect(rejected).rejects.toThrow('the index is away')
    await node.clock.advance(11_000)
    await refused
    expect(node.log.text()).toContain('did not take a removal')
    const closing = node.level.reject({ partition: 'p1', population: 'acme/support', key: 'another' }).catch(() => 'refused')
    await node.rest()
    await node.plugin.close()
    expect(await closing).toBe('refused')
  })
})

describe('a bus that fails', () => {
  test('leaves each node to itself, and is told of once', async () => {
    const away = () => Promise.reject(new Error('the bus is away'))
    const bus = { capabilities: { shared: true }, publish: away, subscribe: away }
    const node = await start({ deps: { bus } })
    for (const text of ['how do i reset it', 'how can i reset it', 'how may i reset it']) await node.ask(text, 'so')
    expect(node.level.standings()).toMatchObject([{ labels: 2 }])
    expect(node.log.records.filter(({ message }) => message?.includes('do not reach the other nodes'))).toHaveLength(1)
  })
})

test('a fault of its own is a bypass, logged once', async () => {
  const node = await start()
  const broken = { call: { ...node.question('x').call, request: undefined as never } }
  for (let at = 0; at < 2; at += 1) expect(await bypassed(node, 'how do i reset it', broken)).toBe('failed')
  expect(node.log.records.filter(({ message }) => message?.includes('a fault of our own'))).toHaveLength(1)
  const controller = new AbortController()
  const leaving = {
    get call(): never {
      controller.abort()
      throw new Error('read while leaving')
    },
  }
  const question = node.question('x')
  Object.defineProperty(question, 'call', Object.getOwnPropertyDescriptor(leaving, 'call') as PropertyDescriptor)
  await expect(node.level.find(question, { signal: controller.signal })).rejects.toMatchObject({ code: 'ABORTED' })
})

describe('standings', () => {
  test('count requests, also those that were answered without it, and of populations whose state is not read yet', async () => {
    const store = fakeCache()
    store.failing = true
    const node = await start({ deps: { cache: store } })
    expect(await bypassed(node, 'how do i reset my password')).toBe('state')
    node.level.counted('acme/support')
    expect(node.level.standings()).toEqual([])
    store.failing = false
    await node.clock.advance(5_000)
    expect(await node.level.find(node.question('how do i reset my password'))).toMatchObject({ outcome: 'miss' })
    node.level.counted('acme/support')
    expect(node.level.standings()).toEqual([
      {
        population: 'acme/support',
        epsilon: 0.01,
        isShadow: true,
        cut: undefined,
        requests: 4,
        lookups: 1,
        hits: 0,
        labels: 0,
        audits: 0,
        failedAudits: 0,
        dropped: 0,
        ceiling: 0.5,
        errorOfAll: undefined,
        errorOfHits: undefined,
      },
    ])
  })
})
