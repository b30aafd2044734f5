import { embedder, type SemanticCache, semanticCache } from '@switchyard/contract'
import { conformance, embedderSuite, judgeMutants, pluginSubject, type Subject, semanticCacheSuite } from '@switchyard/testkit'
import { describe, expect, test } from 'vitest'
import { cacheSemantic } from '../src/index.ts'
import { fakeIndex } from './support/fakes.ts'

const subject = pluginSubject({ name: 'cache-semantic', port: embedder, plugin: () => cacheSemantic() })
const small = pluginSubject({
  name: 'cache-semantic, small',
  port: embedder,
  plugin: () => cacheSemantic({ dimensions: 64, maxTokens: 16 }),
})

describe('the embedder suite', () => conformance(embedderSuite, subject, test))
describe('the embedder suite, of the smallest', () => conformance(embedderSuite, small, test))

test('mutants of its embedder are all killed', async () => {
  const { problems, verdicts } = await judgeMutants(embedderSuite, subject)
  expect(problems).toEqual([])
  expect(verdicts.filter(({ verdict }) => verdict !== 'killed')).toEqual([])
})

/** With an index of its own each time, by the clock of the case. */
const level: Subject<SemanticCache> = {
  name: 'cache-semantic, level',
  async open() {
    let now = (): number => 0
    const vectors = fakeIndex(() => now())
    const opened = await pluginSubject({ port: semanticCache, plugin: () => cacheSemantic(), deps: { vectors } }).open()
    now = opened.now
    return opened
  },
}

describe('the semantic-cache suite', () => conformance(semanticCacheSuite, level, test))

test('mutants of its level are all killed', async () => {
  const { problems, verdicts } = await judgeMutants(semanticCacheSuite, level)
  expect(problems).toEqual([])
  expect(verdicts.filter(({ verdict }) => verdict !== 'killed')).toEqual([])
})
