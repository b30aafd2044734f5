import { embedder } from '@switchyard/contract'
import { conformance, embedderSuite, judgeMutants, pluginSubject } from '@switchyard/testkit'
import { describe, expect, test } from 'vitest'
import { cacheSemantic } from '../src/index.ts'

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
