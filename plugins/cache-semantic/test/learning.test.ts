import { type SemanticFinding, SwitchyardError } from '@switchyard/contract'
import { virtualClock } from '@switchyard/testkit'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { seeded } from '../src/evaluate/index.ts'
import { decodePayload } from '../src/level/payload.ts'
import { type FakeCache, type FakeIndex, fakeBus, fakeCache, fakeIndex } from './support/fakes.ts'
import { HOUR, judgeBy, keyOf, type Node, type NodeOptions, startNode } from './support/level.ts'
import { aboutOf, halfCanned, send } from './support/traffic.ts'

const OPTIONS = { epsilon: 0.05, dimensions: 256, maxLookupsPerSecond: 1_000_000 }
const open: Node[] = []
const start = async (given: NodeOptions = {}): Promise<Node> => {
  const node = await startNode({ options: OPTIONS, ...given })
  open.push(node)
  return node
}
afterEach(async () => {
  for (const node of open.splice(0)) {
    await node.plugin.close()
    expect(node.clock.pending()).toBe(0)
  }
})

const where = 'hashed-ngrams-256-v1:p1'
const inIndex = (index: FakeIndex, key: string) => {
  const payload = index.partitions.get(where)?.get(key)?.payload
  return payload && decodePayload(payload)
}
const CANCEL = 'could you kindly cancel my card at home'
/** A level that has learnt from some traffic, and was closed. */
let warmed: Node & { readonly cache: FakeCache }
beforeAll(async () => {
  const cache = fakeCache()
  warmed = { ...(await startNode({ options: OPTIONS, deps: { cache } })), cache }
  await send([warmed], halfCanned(900, 3))
  await warmed.plugin.close()
})

const ABOUT = 'About cancel card, this is what to do.'

describe('a level that serves', () => {
  let node: Node
  let other: Node
  /** The chance that is drawn next, on the first node; undefined: by seed. */
  let drawn: number | undefined

  beforeEach(async () => {
    drawn = undefined
    const clock = virtualClock()
    const shared = { clock, index: fakeIndex(() => clock.now()), answers: new Map(warmed.answers) }
    for (const [name, held] of warmed.index.partitions) await shared.index.upsert(name, [...held.values()])
    const cache = fakeCache()
    for (const [key, entry] of warmed.cache.held) cache.held.set(key, entry)
    const deps = { bus: fakeBus(), cache }
    const random = seeded(1)
    node = await start({ ...shared, deps, random: () => drawn ?? random() })
    other = await start({ ...shared, deps, seed: 2 })
    for (const one of [node, other]) await one.level.find(one.question('hello there'))
    expect(node.level.standings()).toMatchObject([{ isShadow: false }])
  })

  const hit = async (over = {}): Promise<SemanticFinding> => {
    const finding = await node.level.find(node.question(CANCEL, over))
    expect(finding).toMatchObject({ outcome: 'hit' })
    expect(finding.probability).toBeGreaterThan(0.5)
    expect(node.answers.get(finding.key as string)).toBe(ABOUT)
    return finding
  }
  const fresh = (answer: string) => {
    const key = keyOf(node.question(CANCEL))
    node.answers.set(key, answer)
    return { key, answer, expiresAt: node.clock.now() + HOUR }
  }

  test('an audit that fails takes the entry out on every node, says so, and founds a group of its own', async () => {
    drawn = 0
    const finding = await hit()
    expect(finding.audit).toBe(true)
    const before = node.level.standings()[0]
    finding.settle(fresh('Something else.'))
    await node.rest()
    expect(inIndex(node.index, finding.key as string)).toBeUndefined()
    expect(node.plugin.emitted.at(-1)).toEqual({
      event: 'cache:wrong-hit',
      payload: {
        plugin: 'cache-semantic',
        partition: 'p1',
        population: 'acme/support',
        key: finding.key,
        foundBy: 'audit',
        similarity: finding.similarity,
        probability: finding.probability,
      },
    })
    expect(inIndex(node.index, keyOf(node.question(CANCEL)))).toMatchObject({ text: CANCEL, founder: CANCEL })
    const after = node.level.standings()[0]
    expect(after?.failedAudits).toBe((before?.failedAudits as number) + 1)
    expect(other.level.standings()[0]).toMatchObject({ audits: after?.audits, failedAudits: after?.failedAudits })
    expect(after?.errorOfHits?.share).toBeGreaterThan(before?.errorOfHits?.share as number)
    // The others do not serve it either.
    expect((await other.level.find(other.question(CANCEL))).key).not.toBe(finding.key)
  })

  test('an audit that passes joins the text to the group', async () => {
    drawn = 0
    const finding = await hit()
    finding.settle(fresh(ABOUT))
    await node.rest()
    const joined = inIndex(node.index, keyOf(node.question(CANCEL)))
    expect(joined?.group).toBe(inIndex(node.index, finding.key as string)?.group)
    expect(joined?.founder).not.toBe(CANCEL)
    expect(node.plugin.emitted).not.toContainEqual(expect.objectContaining({ payload: { key: finding.key } }))
  })

  test('an audit without an answer, or without the stored one, is no label', async () => {
    drawn = 0
    const before = node.level.standings()[0]
    const first = await hit()
    first.settle(undefined)
    const second = await hit()
    const gone = second.key as string
    node.answers.delete(gone)
    second.settle(fresh(ABOUT))
    await node.rest()
    expect(node.level.standings()[0]).toMatchObject({
      labels: before?.labels,
      audits: before?.audits,
      dropped: (before?.dropped as number) + 2,
    })
    // What is dead is removed on touch.
    expect(inIndex(node.index, gone)).toBeUndefined()
  })

  test('audits that upstream refuses one after the other stop it: hits that nobody looks at are no evidence', async () => {
    drawn = 0
    const { hits = 0 } = node.level.standings()[0] ?? {}
    for (let at = 0; at < 400; at += 1) (await node.level.find(node.question(CANCEL))).settle(undefined)
    expect(node.level.standings()[0]).toMatchObject({ isShadow: true })
    expect((node.level.standings()[0]?.hits as number) - hits).toBeLessThan(200)
  })

  test('a stored answer that cannot be read, or not in time, is no label either', async () => {
    drawn = 0
    const before = node.level.standings()[0]?.labels
    const failing = () => Promise.reject(new SwitchyardError('UPSTREAM_UNAVAILABLE', 'away'))
    for (const answerOf of [failing, () => new Promise<never>(() => {})]) {
      const finding = await hit({ answerOf })
      finding.settle(fresh(ABOUT))
      await node.clock.advance(2_000)
    }
    expect(node.level.standings()[0]?.labels).toBe(before)
  })

  test('a hit that is not audited leaves nothing; one whose answer is gone was none, and what was answered instead is kept', async () => {
    drawn = 0.999_999
    const before = node.level.standings()[0]
    const size = node.index.partitions.get(where)?.size as number
    const finding = await hit()
    expect(finding.audit).toBe(false)
    finding.settle(undefined)
    await node.rest()
    expect(node.index.partitions.get(where)?.size).toBe(size)
    expect(node.level.standings()[0]?.hits).toBe((before?.hits as number) + 1)
    const second = await hit()
    second.gone()
    second.gone()
    second.settle(fresh('Something else.'))
    await node.rest()
    expect(node.level.standings()[0]).toMatchObject({ hits: (before?.hits as number) + 1, labels: before?.labels })
    expect(inIndex(node.index, second.key as string)).toBeUndefined()
    expect(inIndex(node.index, keyOf(node.question(CANCEL)))).toMatchObject({ founder: CANCEL })
  })

  test('a hit that was too old for its caller was none, and what was answered instead is kept', async () => {
    drawn = 0.999_999
    const before = node.level.standings()[0]?.hits
    const finding = await hit()
    finding.settle(fresh('Something else.'))
    await node.rest()
    expect(node.level.standings()[0]?.hits).toBe(before)
    expect(inIndex(node.index, finding.key as string)).toBeDefined()
    expect(inIndex(node.index, keyOf(node.question(CANCEL)))).toBeDefined()
  })

  test('a caller may tighten the bound to nothing or to little, never widen it', async () => {
    const tight = await node.level.find(node.question(CANCEL, { epsilon: 0.000_01 }))
    expect(tight).toMatchObject({ outcome: 'miss', reason: 'below-cut' })
    expect(await node.level.find(node.question(CANCEL, { epsilon: 0 }))).toMatchObject({ outcome: 'bypass', reason: 'epsilon' })
    const wide = await node.level.find(node.question(CANCEL, { epsilon: 0.99 }))
    const own = await node.level.find(node.question(CANCEL))
    expect(wide.outcome).toBe(own.outcome)
    expect(wide.probability).toBeCloseTo(own.probability as number, 2)
    const far = node.question('could you kindly whistle my card at home', { epsilon: 0.99 })
    expect((await node.level.find(far)).outcome).toBe((await node.level.find({ ...far, epsilon: undefined })).outcome)
  })

  test('a rejected answer is served no more, and its group is lowered', async () => {
    drawn = 0.999_999
    const finding = await hit()
    await node.level.reject({ partition: 'p1', population: 'acme/support', key: finding.key as string, question: CANCEL })
    expect((await node.level.find(node.question(CANCEL))).key).not.toBe(finding.key)
    expect((await other.level.find(other.question(CANCEL))).key).not.toBe(finding.key)
  })

  test('another partition of the same population has its evidence, and none of its answers', async () => {
    expect(await node.level.find(node.question(CANCEL, { partition: 'p2' }))).toMatchObject({ reason: 'nothing-near' })
  })
})

describe('what is asked of misses', () => {
  test('joins a question to its group after it was indexed, in that order, however slow the index is', async () => {
    const node = await start()
    await node.ask('how do i cancel my card', ABOUT)
    const { upsert } = node.index
    let slow = true
    node.index.upsert = async (...given) => {
      if (slow) {
        slow = false
        await node.clock.sleep(500)
      }
      return upsert(...given)
    }
    await node.ask('how can i cancel my card', ABOUT)
    await node.clock.advance(500)
    const [first, second] = ['how do i cancel my card', 'how can i cancel my card'].map((text) =>
      inIndex(node.index, `p1|${text}`),
    )
    expect(second).toEqual({ text: 'how can i cancel my card', founder: 'how do i cancel my card', group: first?.group })
  })

  test('asks about the next group where the first would not have done', async () => {
    const node = await start({ options: { ...OPTIONS, judge: { model: 'cheap/judge' } } })
    node.next = judgeBy(({ fresh, stored }) => aboutOf(fresh) === aboutOf(stored))
    await node.ask('how do i cancel my card', ABOUT)
    await node.ask('how do i cancel my old card', 'About cancel old, this is what to do.')
    await node.ask('how do i now cancel my old card', ABOUT.replace('to do', 'to do now'))
    expect(inIndex(node.index, 'p1|how do i now cancel my old card')?.founder).toBe('how do i cancel my card')
    expect(node.level.standings()[0]).toMatchObject({ labels: 2, ceiling: expect.closeTo(1 / 3, 5) })
  })
})

describe('look-ups in vain', () => {
  test('are spared but for a sample where each answer is worded anew and nobody judges, until answers are alike', async () => {
    const node = await start()
    const sent = async (seed: number, count: number, varied: boolean): Promise<number> => {
      let spared = 0
      for (const [at, { text, about }] of halfCanned(count, seed).entries()) {
        const { reason } = await node.ask(
          `${text} w${'abcdefgh'.charAt(seed)}`,
          `About ${about}.${varied ? `${seed} ${at}` : ''}`,
        )
        if (reason === 'vain') spared += 1
      }
      return spared
    }
    expect(await sent(0, 800, true)).toBe(0)
    await sent(1, 1_200, true)
    const spared = await sent(2, 320, true)
    expect(spared).toBeGreaterThan(270)
    expect(spared).toBeLessThan(320)
    // No label for it is no evidence, and buys nobody a wrong answer.
    expect(node.level.standings()).toMatchObject([{ isShadow: true, hits: 0 }])
    await node.clock.advance(2 * HOUR)
    await sent(3, 1_800, false)
    expect(await sent(4, 100, false)).toBe(0)
  })
})

describe('labels of other nodes', () => {
  test('are not saved here too, and those of another encoder, or of nobody, are not taken', async () => {
    const bus = fakeBus()
    const [mine, theirs] = [fakeCache(), fakeCache()]
    const node = await start({ deps: { bus, cache: mine } })
    const { index, answers, clock } = node
    const other = await start({ deps: { bus, cache: theirs }, index, answers, clock, seed: 2 })
    const unlike = await start({ deps: { bus }, options: { ...OPTIONS, dimensions: 128 }, index, answers, clock })
    for (const one of [other, unlike]) await one.level.find(one.question('hello there'))
    await bus.publish('cache-semantic:labels', new Uint8Array([1, 2, 3]))
    await send([node], halfCanned(800, 3))
    const labels = node.level.standings()[0]?.labels as number
    expect(labels).toBeGreaterThan(250)
    expect(mine.held.size).toBe(1)
    expect(other.level.standings()[0]?.labels).toBe(labels)
    expect(unlike.level.standings()[0]?.labels).toBe(0)
    await other.plugin.close()
    expect(theirs.held.size).toBe(0)
  })
})

describe('what is kept of a population', () => {
  test('that cannot be read keeps the level off, and is not written over', async () => {
    const { cache, index, answers, clock } = warmed
    const [[key, entry]] = [...cache.held] as [[string, { value: Uint8Array }]]
    expect(key).toMatch(/^cache-semantic:state:[\w-]{43}$/)
    cache.failing = true
    const second = await start({ deps: { cache }, index, answers, clock })
    await second.ask(CANCEL, ABOUT)
    cache.failing = false
    await second.plugin.close()
    expect(cache.held.get(key)).toBe(entry)
    expect(second.log.text()).toContain('could not be read')

    const hanging = { ...cache, get: () => new Promise<never>(() => {}) }
    const third = await start({ deps: { cache: hanging }, index, answers, clock })
    const finding = third.level.find(third.question(CANCEL))
    await clock.advance(50)
    expect(await finding).toMatchObject({ outcome: 'bypass', reason: 'state' })
    await clock.advance(2_000)
  }, 20_000)

  test('that is of another version, or broken, is learnt anew', async () => {
    const { index, answers, clock } = warmed
    const cache = fakeCache()
    const [[key, entry]] = [...warmed.cache.held] as [[string, { value: Uint8Array }]]
    const text = new TextDecoder().decode(entry.value)
    const state = JSON.parse(text)
    for (const wrong of [
      '',
      'null',
      '{"v":1}',
      text.slice(0, -10),
      text.replace('"v":1', '"v":2'),
      JSON.stringify({ ...state, policy: 7 }),
      JSON.stringify({ ...state, groups: [['a']] }),
      JSON.stringify({ ...state, policy: { ...state.policy, examples: [[1, 2]] } }),
      JSON.stringify({ ...state, policy: { ...state.policy, terms: { counts: 7 } } }),
    ]) {
      cache.held.set(key, { value: new TextEncoder().encode(wrong) })
      const node = await start({ deps: { cache }, index, answers, clock })
      const finding = await node.level.find(node.question(CANCEL))
      expect(finding, wrong.slice(0, 40)).toMatchObject({ outcome: 'miss', reason: 'shadow' })
      await node.plugin.close()
    }
  }, 20_000)

  test('is saved at the end, also where a save was under way', async () => {
    const cache = fakeCache()
    const node = await start({ deps: { cache } })
    // Timers stand still, so that the save that is due after 250 labels is not done.
    node.rest = async () => {
      for (let at = 0; at < 3; at += 1) await new Promise(setImmediate)
    }
    await send([node], halfCanned(700, 3))
    expect(node.level.standings()[0]?.labels).toBeGreaterThan(260)
    expect(cache.held.size).toBe(0)
    await node.plugin.close()
    const [[, entry]] = [...cache.held] as [[string, { value: Uint8Array }]]
    const { policy } = JSON.parse(new TextDecoder().decode(entry.value))
    expect(policy.labels).toBe(node.level.standings()[0]?.labels)
  })

  test('is written before it is read again, where it had to make room in between', async () => {
    const cache = fakeCache()
    const node = await start({ deps: { cache }, options: { ...OPTIONS, maxPopulations: 1, lookupTimeoutMs: 1_000 } })
    await send([node], halfCanned(300, 3))
    const labels = node.level.standings()[0]?.labels
    expect(labels).toBeGreaterThan(50)
    expect(cache.held.size).toBe(0)
    const { set } = cache
    cache.set = async (...given) => {
      await node.clock.sleep(500)
      return set(...given)
    }
    node.level.counted('acme/another')
    const finding = node.level.find(node.question(CANCEL))
    await node.clock.advance(500)
    expect((await finding).outcome).not.toBe('bypass')
    expect(node.level.standings()[0]?.labels).toBe(labels)
  })

  test('is written to a store of this process alone at its end only', async () => {
    const held = fakeCache()
    const cache = { ...held, capabilities: { ...held.capabilities, shared: false } }
    const node = await start({ deps: { cache } })
    await send([node], halfCanned(800, 3))
    expect(held.held.size).toBe(0)
    await node.plugin.close()
    expect(held.held.size).toBe(1)
  })

  test('is saved every so many labels and when it makes room for another; a store that refuses is nobody’s matter', async () => {
    const cache = fakeCache()
    const node = await start({ deps: { cache }, options: { ...OPTIONS, maxPopulations: 1 } })
    await send([node], halfCanned(800, 3))
    const saved = cache.held.size
    expect(saved).toBe(1)
    const [[key, entry]] = [...cache.held] as [[string, unknown]]
    node.level.counted('acme/another')
    await node.rest()
    expect(cache.held.get(key)).not.toBe(entry)
    expect(node.level.standings()).toEqual([])
    await node.ask('something of the other', 'x', { population: 'acme/another' })
    expect(node.level.standings()).toMatchObject([{ population: 'acme/another', requests: 2 }])
    await node.ask(CANCEL, ABOUT)
    expect(node.level.standings()).toMatchObject([{ population: 'acme/support' }])
    expect(node.level.standings()[0]?.labels).toBeGreaterThan(100)
    await node.ask(CANCEL.replace('kindly', 'now'), ABOUT)
    cache.failing = true
    await node.plugin.close()
  }, 20_000)
})
