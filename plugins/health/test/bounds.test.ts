import { describe, expect, test } from 'vitest'
import { startNode } from './support/node.ts'

const OFF = { by: 'ada', reason: 'off' }
const names = (list: readonly { readonly deployment: string }[]): readonly string[] => list.map(({ deployment }) => deployment)

describe('no more deployments are known than the option says', () => {
  test('the one used longest ago goes, questions being a use', async () => {
    const { good, clock, health } = await startNode({ options: { maxDeployments: 3 } })
    for (const deployment of ['a', 'b', 'c']) {
      await good(1, { deployment })
      await clock.advance(10)
    }
    health.of('a')
    await good(1, { deployment: 'd' })
    expect(names(health.list())).toEqual(['a', 'c', 'd'])
  })

  test('names that never served go before any that did, so that a client cannot push those out', async () => {
    const { good, bad, clock, health } = await startNode({ options: { maxDeployments: 3 } })
    for (const deployment of ['a', 'b']) await good(1, { deployment })
    for (let at = 0; at < 100; at += 1) {
      await clock.advance(10)
      await bad(1, { deployment: `invented-${at}` })
    }
    expect(names(health.list())).toEqual(['a', 'b', 'invented-99'])
  })

  test('those with a call under way go after those without, and those of which something is known last', async () => {
    const { good, bad, attempt, clock, health } = await startNode({ options: { maxDeployments: 3 } })
    await good(1, { deployment: 'spare' })
    await bad(5, { deployment: 'ill' })
    const running = attempt({ deployment: 'busy' })
    expect(health.of('ill').state).toBe('ejected')
    await clock.advance(10)
    await good(1, { deployment: 'new' })
    expect(names(health.list())).toEqual(['busy', 'ill', 'new'])
    await good(1, { deployment: 'newer' })
    expect(names(health.list())).toEqual(['busy', 'ill', 'newer'])
    await running.reply()
    expect(health.of('busy').inFlight).toBe(0)
  })

  test('what a person disabled never goes: where there is nothing else, calls pass unobserved and no more can be disabled', async () => {
    const { good, health } = await startNode({ options: { maxDeployments: 2 } })
    await health.disable('a', OFF)
    await health.disable('b', OFF)
    await good(3, { deployment: 'c' })
    expect(names(health.list())).toEqual(['a', 'b'])
    await expect(health.disable('c', OFF)).rejects.toMatchObject({ code: 'OVERLOADED' })
    await health.enable('a', OFF)
    await health.disable('c', OFF)
    expect(names(health.list())).toEqual(['b', 'c'])
  })

  test('one that went stands in for nobody any more', async () => {
    const { good, bad, clock, health } = await startNode({ options: { maxDeployments: 2 } })
    await good(1, { deployment: 'a', route: 'r' })
    await clock.advance(10)
    await good(1, { deployment: 'b', route: 'r' })
    await good(1, { deployment: 'c', route: 's' })
    await bad(5, { deployment: 'b', route: 'r' })
    expect(names(health.list())).toEqual(['b', 'c'])
    expect(health.of('b').state).toBe('degraded')
  })
})

test('no more changes are kept than the option says, the newest', async () => {
  const { health, clock } = await startNode({ options: { historySize: 3 } })
  for (let at = 0; at < 10; at += 1) {
    await health.disable('a', { by: 'ada', reason: `off ${at}` })
    await clock.advance(1)
    await health.enable('a', { by: 'ada', reason: `on ${at}` })
  }
  expect(health.history('a').map(({ reason }) => reason)).toEqual(['on 9', 'off 9', 'on 8'])
})

test('routes without end take no more room than a thousand do', async () => {
  const { good, bad, health } = await startNode()
  for (let at = 0; at < 1500; at += 1) await good(1, { deployment: 'a', route: `r${at}` })
  await good(1, { deployment: 'b', route: 'r1499' })
  // Only the kept pools are asked whether `a` is their last, which it is in 999 of them.
  await bad(5, { deployment: 'a', route: 'r1499' })
  expect(health.of('a').state).toBe('degraded')
  await bad(5, { deployment: 'b', route: 'r1499' })
  expect(health.of('b').state).toBe('ejected')
})

test('of routes, the one used longest ago is forgotten', async () => {
  const { good, bad, clock, health } = await startNode()
  for (const deployment of ['a', 'b']) await good(1, { deployment, route: 'old' })
  await clock.advance(10)
  for (let at = 0; at < 999; at += 1) await good(1, { deployment: 'c', route: `r${at}` })
  await clock.advance(10)
  await bad(4, { deployment: 'a', route: 'old' })
  await good(1, { deployment: 'c', route: 'another' })
  await bad(1, { deployment: 'a', route: 'old' })
  expect(health.of('a').state).toBe('ejected')
  await clock.advance(10)
  for (let at = 0; at < 1000; at += 1) await good(1, { deployment: 'd', route: `s${at}` })
  await bad(5, { deployment: 'b', route: 'old' })
  expect(health.of('b').reason).toMatch(/the last of its pool/)
})

test('an idle node has no timer; a call starts one, which ends by itself', async () => {
  const { good, bad, clock, started } = await startNode()
  expect(clock.pending()).toBe(0)
  await good(5)
  expect(clock.pending()).toBe(1)
  await clock.advance(60_000)
  expect(clock.pending()).toBe(0)
  await good(1, { deployment: 'b' })
  await bad(5, { deployment: 'b' })
  await clock.runAll()
  expect(clock.pending()).toBe(0)
  await good(1)
  await started.close()
  expect(clock.pending()).toBe(0)
  await good(1)
  expect(clock.pending()).toBe(0)
})
