import { virtualClock } from '@switchyard/testkit'
import { expect, test } from 'vitest'
import { fakeBus, fakeCache, fakeIndex } from './support/fakes.ts'
import { judgeBy, type Node, type NodeOptions, said, startNode } from './support/level.ts'
import { aboutOf, halfCanned, send } from './support/traffic.ts'

const OPTIONS = { epsilon: 0.03, dimensions: 256, maxLookupsPerSecond: 1_000_000 }
const JUDGED = { ...OPTIONS, judge: { model: 'cheap/judge', maxPerMinute: 1_000_000 } }

const started = async (given: NodeOptions): Promise<Node> => {
  const node = await startNode(given)
  node.next = judgeBy(({ fresh, stored }) => aboutOf(fresh) === aboutOf(stored))
  return node
}

test('half-canned traffic through the port: hits, and wrong ones within the bound; audits tell the truth', async () => {
  const node = await started({ options: JUDGED })
  const requests = halfCanned(2_400, 3)
  await send([node], requests.slice(0, 1_200), { varied: true })
  const warm = await send([node], requests.slice(1_200), { varied: true })
  expect(warm.hits).toBeGreaterThan(200)
  expect(warm.audits).toBeGreaterThan(10)
  expect(warm.wrong / 1_200).toBeLessThanOrEqual(0.03)
  const [standing] = node.level.standings()
  expect(standing).toMatchObject({ population: 'acme/support', epsilon: 0.03, isShadow: false, requests: 2_400, dropped: 0 })
  expect(standing?.labels).toBeGreaterThan(300)
  expect(standing?.ceiling).toBeGreaterThan(0.8)
  const { errorOfAll, errorOfHits } = standing ?? {}
  expect(errorOfHits?.low).toBeLessThanOrEqual(warm.wrong / Math.max(1, warm.hits))
  expect(errorOfAll?.high).toBeLessThan(errorOfHits?.high as number)
  // What was asked of the judge was booked, and nothing of the client's was sent along.
  expect(node.calls.every(({ attributes }) => attributes.purpose === 'judge')).toBe(true)
  await node.plugin.close()
}, 30_000)

test('while its judge fails, hits are not audited in vain, and after a day without a label nothing is served', async () => {
  const node = await started({ options: JUDGED })
  const requests = halfCanned(2_000, 3)
  await send([node], requests.slice(0, 1_400), { varied: true })
  node.next = () => said('I cannot tell')
  await send([node], requests.slice(1_400, 1_600), { varied: true })
  const before = node.level.standings()[0]
  const later = await send([node], requests.slice(1_600), { varied: true })
  expect(later.hits).toBeGreaterThan(50)
  expect(later.audits).toBe(0)
  expect(node.level.standings()[0]).toMatchObject({ labels: before?.labels, audits: before?.audits, isShadow: false })
  expect(node.level.standings()[0]?.dropped).toBeGreaterThan(before?.dropped as number)
  await node.clock.advance(86_400_001)
  const day = await send([node], halfCanned(200, 9), { varied: true })
  expect(day.hits).toBe(0)
  expect(node.level.standings()[0]).toMatchObject({ isShadow: true })
  await node.plugin.close()
}, 30_000)

test('without a judge, answers that are equal word for word are evidence enough', async () => {
  const node = await started({ options: OPTIONS })
  const outcome = await send([node], halfCanned(1_600, 4))
  expect(outcome.hits).toBeGreaterThan(100)
  expect(outcome.wrong / 1_600).toBeLessThanOrEqual(0.03)
  expect(node.calls).toEqual([])
  await node.plugin.close()
}, 30_000)

test('without a judge, answers in other words each time keep it in shadow mode', async () => {
  const node = await started({ options: OPTIONS })
  const outcome = await send([node], halfCanned(1_000, 4), { varied: true })
  expect(outcome.hits).toBe(0)
  expect(node.level.standings()).toMatchObject([{ isShadow: true, cut: undefined }])
  await node.plugin.close()
}, 30_000)

test('a judge that always says yes is found out, and nothing is served', async () => {
  const node = await started({ options: JUDGED })
  node.next = () => said('yes')
  const outcome = await send([node], halfCanned(600, 5), { varied: true })
  expect(outcome.hits).toBe(0)
  expect(node.level.standings()).toMatchObject([{ isShadow: true, labels: 0 }])
  expect(node.log.text()).toContain('was wrong about a pair whose truth is known')
  await node.plugin.close()
}, 30_000)

test('nodes learn from each other’s labels, and one that starts anew goes on where it stopped', async () => {
  const bus = fakeBus()
  const cache = fakeCache()
  const clock = virtualClock()
  const shared = { clock, index: fakeIndex(() => clock.now()), answers: new Map<string, string>() }
  const nodes = [
    await started({ options: OPTIONS, deps: { bus, cache }, ...shared, seed: 1 }),
    await started({ options: OPTIONS, deps: { bus, cache }, ...shared, seed: 2 }),
  ]
  const outcome = await send(nodes, halfCanned(1_200, 6))
  expect(outcome.hits).toBeGreaterThan(50)
  const [one, other] = nodes.map(({ level }) => level.standings()[0])
  expect(one?.labels).toBe(other?.labels)
  expect(one?.audits).toBe(other?.audits)
  expect(one?.isShadow).toBe(false)
  expect(other?.isShadow).toBe(false)
  for (const node of nodes) await node.plugin.close()
  expect(cache.held.size).toBe(1)

  const again = await started({ options: OPTIONS, deps: { cache }, ...shared, seed: 3 })
  await again.ask('a question to wake it', 'x')
  expect(again.level.standings()[0]).toMatchObject({ isShadow: false, audits: one?.audits })
  expect((await send([again], halfCanned(200, 7))).hits).toBeGreaterThan(10)
  await again.plugin.close()

  await clock.advance(86_400_001)
  const old = await started({ options: OPTIONS, deps: { cache }, ...shared, seed: 3 })
  await old.ask('a question to wake it', 'x')
  expect(old.level.standings()[0]).toMatchObject({ isShadow: true })
  await old.plugin.close()
}, 30_000)
