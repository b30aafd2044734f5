import { SwitchyardError } from '@switchyard/contract'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { checkedVector, hashedEncoder } from '../src/encoder/encoder.ts'
import { hashedNgramsOf } from '../src/encoder/hashed-ngrams.ts'
import { type Node, type NodeOptions, replyOf, startNode } from './support/level.ts'

const DIMENSIONS = 64
const open: Node[] = []
afterEach(async () => {
  for (const node of open.splice(0)) {
    await node.plugin.close()
    expect(node.clock.pending()).toBe(0)
  }
})

/** An embeddings endpoint: the hashed vectors, but for what a test breaks. */
const embeddings =
  (alter: (vector: number[], at: number, text: string) => unknown = (vector) => vector): Node['next'] =>
  ({ request }) => {
    const texts = request.body.input as readonly string[]
    const data = texts.map((text, index) => ({
      index,
      embedding: alter([...hashedNgramsOf(text, DIMENSIONS)], index, text),
    }))
    // In any order: the index says which is which.
    return replyOf({ data: data.reverse() })
  }

const start = async (next = embeddings(), given: NodeOptions = {}): Promise<Node> => {
  const options = { ...given.options, embedding: { model: 'openai/small', dimensions: DIMENSIONS } }
  const node = await startNode({ ...given, options })
  node.next = next
  open.push(node)
  return node
}

const find = async (node: Node, text = 'how do i reset my password', over = {}) => {
  const finding = await node.level.find(node.question(text, over))
  await node.rest()
  return finding
}

describe('an embeddings model', () => {
  test('is tried with a few sentences at first; then questions are looked up by it, in a partition of its own', async () => {
    const node = await start()
    expect(await find(node)).toMatchObject({ outcome: 'bypass', reason: 'embedder' })
    await node.ask('how do i reset my password', 'so')
    expect(await find(node, 'how can i reset my password')).toMatchObject({ outcome: 'miss', reason: 'shadow' })
    expect([...node.index.partitions.keys()]).toEqual([`openai/small@${DIMENSIONS}:p1`])
    expect(node.calls[0]?.request.body.input).toHaveLength(4)
    expect(node.calls[1]).toMatchObject({
      target: 'gateway',
      principal: { tenant: 'acme' },
      attributes: { purpose: 'embedding', priority: 'low' },
      request: {
        endpoint: 'embeddings',
        model: 'openai/small',
        body: {
          model: 'openai/small',
          input: ['how do i reset my password'],
          dimensions: DIMENSIONS,
          encoding_format: 'float',
        },
      },
    })
  })

  const broken: Readonly<Record<string, Node['next']>> = {
    'the same vector for all': embeddings((vector) => vector.map((_, at) => Number(at === 3))),
    'no numbers': embeddings((vector) => vector.map(() => null)),
    'infinite numbers': () => replyOf(`{"data":[${`{"embedding":[${'1e999,'.repeat(63)}1]},`.repeat(3)}{"embedding":[]}]}`),
    zeros: embeddings((vector) => vector.map(() => 0)),
    'members that are all alike': embeddings((vector, at) => vector.map(() => at + 1)),
    'too many members': embeddings((vector) => [...vector, 1]),
    base64: embeddings(() => 'AAAA'),
    'too few vectors': () => replyOf({ data: [{ embedding: [...hashedNgramsOf('x', DIMENSIONS)] }] }),
    'an index out of range': embeddings((vector) => vector),
    nothing: () => replyOf('null'),
  }
  for (const [what, next] of Object.entries(broken))
    test(`that gives ${what} keeps the level off, with the reason, for ten minutes`, async () => {
      const wrong: Node['next'] =
        what === 'an index out of range'
          ? () => replyOf({ data: [0, 1, 2, 9].map((index) => ({ index, embedding: [1] })) })
          : next
      const node = await start(wrong)
      for (let at = 0; at < 3; at += 1) expect(await find(node)).toMatchObject({ outcome: 'bypass', reason: 'embedder' })
      expect(node.calls).toHaveLength(1)
      expect(node.log.text()).toContain('likeness is off')
      node.next = embeddings()
      await node.clock.advance(600_000)
      await find(node)
      expect(await find(node)).toMatchObject({ outcome: 'miss' })
    })

  test('that is refused at first is tried again soon', async () => {
    const node = await start(() => {
      throw new SwitchyardError('OVERLOADED', 'not now')
    })
    await find(node)
    node.next = embeddings()
    await find(node)
    expect(node.calls).toHaveLength(1)
    await node.clock.advance(5_000)
    await find(node)
    expect(await find(node)).toMatchObject({ outcome: 'miss' })
  })

  test('that breaks later costs bypasses, never a wrong vector, and is left alone after some', async () => {
    const node = await start()
    await find(node)
    await node.ask('how do i reset my password', 'so')
    node.next = embeddings((vector) => vector.map(() => Number.NaN))
    for (let at = 0; at < 6; at += 1) {
      const finding = await find(node)
      expect(finding).toMatchObject({ outcome: 'bypass', reason: 'embedder' })
      finding.settle({ key: `wrong-${at}`, answer: 'x', expiresAt: node.clock.now() + 1_000 })
    }
    await node.rest()
    expect(node.calls).toHaveLength(2 + 4)
    expect(node.index.partitions.values().next().value?.size).toBe(1)
    node.next = embeddings()
    await node.clock.advance(5_000)
    expect(await find(node)).toMatchObject({ outcome: 'miss' })
  })

  test('that is slow is not waited for, and its vector is used for what is stored', async () => {
    const node = await start()
    await find(node)
    const right = embeddings()
    node.next = async (call) => {
      await node.clock.sleep(100)
      return right(call)
    }
    const looking = node.level.find(node.question('where is my parcel'))
    await node.clock.advance(40)
    const finding = await looking
    expect(finding).toMatchObject({ outcome: 'bypass', reason: 'embedder' })
    finding.settle({ key: 'parcel', answer: 'there', expiresAt: node.clock.now() + 3_600_000 })
    await node.rest()
    expect(node.index.partitions.size).toBe(0)
    await node.clock.advance(60)
    expect([...(node.index.partitions.get(`openai/small@${DIMENSIONS}:p1`) ?? new Map()).keys()]).toEqual(['parcel'])
    node.next = right
    expect(await find(node, 'where is my parcel now')).toMatchObject({ outcome: 'miss', reason: 'shadow' })
  })

  test('has room for so many questions at once, the late ones among them', async () => {
    const node = await start(embeddings(), { options: { maxConcurrent: 2 } })
    await find(node)
    node.next = () => new Promise<never>(() => {})
    const looking = [1, 2, 3].map((at) => node.level.find(node.question(`where is my parcel ${at}`)))
    await node.clock.advance(40)
    expect((await Promise.all(looking)).map(({ reason }) => reason)).toEqual(['embedder', 'embedder', 'busy'])
    expect(await find(node)).toMatchObject({ reason: 'busy' })
    // Their own time limit, by which they free their room.
    await node.clock.advance(2_000)
    node.next = embeddings()
    expect(await find(node)).toMatchObject({ outcome: 'miss' })
  })

  test('does not hold up a caller who leaves', async () => {
    const node = await start()
    await find(node)
    node.next = () => new Promise<never>(() => {})
    const controller = new AbortController()
    const looking = node.level.find(node.question('where is my parcel'), { signal: controller.signal })
    await node.rest()
    controller.abort()
    await expect(looking).rejects.toMatchObject({ code: 'ABORTED' })
  })

  test('that nobody serves is an error of configuration', async () => {
    await expect(
      startNode({ options: { embedding: { model: 'openai/small' } }, deps: { providers: new Map() } }),
    ).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('embedding.model') })
  })
})

describe('a vector', () => {
  test('that passes is of unit length and points the same way', () => {
    const numbers = fc.array(fc.double({ min: -1e100, max: 1e100, noNaN: true }), { minLength: 8, maxLength: 8 })
    fc.assert(
      fc.property(numbers, (given) => {
        let vector: Float32Array
        try {
          vector = checkedVector(given, 8)
        } catch (error) {
          expect(SwitchyardError.is(error, 'UPSTREAM_INVALID')).toBe(true)
          return
        }
        expect(Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0))).toBeCloseTo(1, 4)
        for (const [at, value] of given.entries())
          if (vector[at] !== 0) expect(Math.sign(vector[at] as number)).toBe(Math.sign(value))
      }),
    )
  })

  test('whose members are all alike has nothing to say', () => {
    for (const constant of [1, -0.25, 1e-30]) expect(() => checkedVector(new Array(8).fill(constant), 8)).toThrow('all alike')
    expect(checkedVector([1, 1, 1, 2], 4)).toHaveLength(4)
    expect(checkedVector([3], 1)).toEqual(Float32Array.of(1))
  })

  test('of the embedded encoder is ready at once', async () => {
    const encoder = hashedEncoder(128)
    expect(await encoder.encode('how do i', undefined as never)).toHaveLength(128)
    await expect(encoder.encode('?', undefined as never)).rejects.toMatchObject({ code: 'UPSTREAM_INVALID' })
  })
})
