import { describe, expect, test } from 'vitest'
import { modelOptions } from '../../src/model/options.ts'
import { callOf, planned, plannerWith } from './support/calls.ts'

describe('options', () => {
  test('have safe defaults', () => {
    expect(modelOptions.parse({})).toMatchObject({
      scope: 'key',
      sampling: 'zero-or-unset',
      tools: false,
      images: false,
      serverState: false,
      off: false,
      ttlMs: 3_600_000,
      staleMs: 0,
      maxTurns: 3,
      paceMs: 0,
      tellSimilarity: false,
      routes: [],
    })
  })

  test.each([
    [{ tll: 5 }],
    [{ ttlMs: 0 }],
    [{ epsilon: 1 }],
    [{ scope: 'world' }],
    [{ routes: [{}] }],
    [{ routes: [{ name: 'a' }, { name: 'a' }] }],
    [{ routes: [{ name: 'a', match: { models: [] } }] }],
    [{ routes: [{ name: 'a', match: { endpoints: ['chat'] } }] }],
    [{ routes: [{ name: 'a', paceMs: 5 }] }],
  ])('refuse %j', (options) => expect(modelOptions.safeParse(options).success).toBe(false))

  test('a route keeps what it says, and takes the rest from beside', () => {
    const { routes } = modelOptions.parse({
      tools: true,
      epsilon: 0.05,
      routes: [{ name: 'a', tools: false, epsilon: 0, off: undefined }],
    })
    expect(routes[0]).toMatchObject({ tools: false, epsilon: 0, off: false, scope: 'key', match: { models: ['*'] } })
  })
})

describe('patterns of models', () => {
  test.each([
    ['*', 'anything', true],
    ['a', 'a', true],
    ['a', 'ab', false],
    ['a*', 'ab', true],
    ['a*b*c', 'a-b-c', true],
    ['a*b*c', 'abc', true],
    ['a*b*c', 'ac', false],
    ['a*b*c', 'acb', false],
    ['ab*ba', 'aba', false],
    ['*b*', 'abc', true],
    ['*bb*b', 'abb', false],
    ['a.c', 'abc', false],
  ])('%s and %s', (pattern, model, fits) => {
    const of = plannerWith({ routes: [{ name: 'r', match: { models: [pattern] } }] })
    expect(of.explain(callOf({ request: { model } })).route).toBe(fits ? 'r' : '')
  })
})

test('system prompts of every dialect make a tag', () => {
  const of = plannerWith()
  const told = (request: object): unknown => of.explain(callOf({ request })).prompt
  const messages = [{ role: 'user', content: 'hi' }]
  const prompts = [
    told({ body: { messages: [{ role: 'system', content: 'x' }, ...messages] } }),
    told({ body: { messages: [{ role: 'developer', content: 'x' }, ...messages] } }),
    told({ endpoint: 'messages', body: { system: 'x', messages } }),
    told({ endpoint: 'responses', body: { instructions: 'x', input: 'hi', store: false } }),
    told({ endpoint: 'responses', body: { instructions: 'x', input: messages, store: false } }),
  ]
  for (const prompt of prompts) expect(prompt).toMatch(/^[\w-]{22}$/)
  expect(told({ body: { messages } })).toBeUndefined()
  expect(told({ endpoint: 'completions', body: { prompt: 'x' } })).toBeUndefined()
})

test('a plan is shared between calls, and nobody may change it', () => {
  const plan = planned(plannerWith(), callOf())
  expect(Object.isFrozen(plan)).toBe(true)
})
