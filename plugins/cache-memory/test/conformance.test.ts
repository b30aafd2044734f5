import { bus, cache, counters, flights, vectors } from '@switchyard/contract'
import {
  busSuite,
  cacheSuite,
  conformance,
  countersSuite,
  flightsSuite,
  judgeMutants,
  pluginSubject,
  vectorsSuite,
} from '@switchyard/testkit'
import { describe, expect, test } from 'vitest'
import { cacheMemory } from '../src/index.ts'

const cacheSubject = pluginSubject({ name: 'cache-memory', port: cache, plugin: () => cacheMemory() })
const busSubject = pluginSubject({ name: 'cache-memory', port: bus, plugin: () => cacheMemory() })
const countersSubject = pluginSubject({ name: 'cache-memory', port: counters, plugin: () => cacheMemory() })
const flightsSubject = pluginSubject({ name: 'cache-memory', port: flights, plugin: () => cacheMemory() })
const vectorsSubject = pluginSubject({ name: 'cache-memory', port: vectors, plugin: () => cacheMemory() })

describe('the vectors suite', () => conformance(vectorsSuite, vectorsSubject, test))
describe('the cache suite', () => conformance(cacheSuite, cacheSubject, test))
describe('the counters suite', () => conformance(countersSuite, countersSubject, test))
describe('the bus suite', () => conformance(busSuite, busSubject, test))
describe('the flights suite', () => conformance(flightsSuite, flightsSubject, test))

describe('mutants of cache-memory', () => {
  test('of its cache are all killed', async () => {
    const { problems, verdicts } = await judgeMutants(cacheSuite, cacheSubject)
    expect(problems).toEqual([])
    expect(verdicts.filter(({ verdict }) => verdict !== 'killed')).toEqual([])
  })

  test('of its counters are all killed', async () => {
    const { problems, verdicts } = await judgeMutants(countersSuite, countersSubject)
    expect(problems).toEqual([])
    expect(verdicts.filter(({ verdict }) => verdict !== 'killed')).toEqual([])
  })
  test('of its bus are all killed', async () => {
    const { problems, verdicts } = await judgeMutants(busSuite, busSubject)
    expect(problems).toEqual([])
    expect(verdicts.filter(({ verdict }) => verdict !== 'killed')).toEqual([])
  })
  test('of its flights are all killed', { timeout: 60_000 }, async () => {
    const { problems, verdicts } = await judgeMutants(flightsSuite, flightsSubject)
    expect(problems).toEqual([])
    expect(verdicts.filter(({ verdict }) => verdict !== 'killed')).toEqual([])
  })

  test('of its vectors are all killed', async () => {
    const { problems, verdicts } = await judgeMutants(vectorsSuite, vectorsSubject)
    expect(problems).toEqual([])
    expect(verdicts.filter(({ verdict }) => verdict !== 'killed')).toEqual([])
  })
})
