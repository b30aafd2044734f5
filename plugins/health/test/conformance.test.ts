import { health as healthToken } from '@switchyard/contract'
import { conformance, healthSuite, judgeMutants, pluginSubject, processBus } from '@switchyard/testkit'
import { describe, expect, test } from 'vitest'
import { health } from '../src/index.ts'

const alone = pluginSubject({ name: 'health', port: healthToken, plugin: () => health() })

describe('the health suite', () => conformance(healthSuite, alone, test))

describe('the health suite, with a bus and another node on it', () => {
  const subject = {
    name: 'health of two nodes',
    async open() {
      const bus = processBus()
      const other = await pluginSubject({ port: healthToken, plugin: () => health(), deps: { bus } }).open()
      const own = await pluginSubject({ port: healthToken, plugin: () => health(), deps: { bus } }).open()
      return {
        ...own,
        advance: async (ms: number) => void (await Promise.all([own.advance(ms), other.advance(ms)])),
        close: async () => void (await Promise.all([own.close(), other.close()])),
      }
    },
  }
  conformance(healthSuite, subject, test)
})

test('mutants of health are all killed', async () => {
  const { problems, verdicts } = await judgeMutants(healthSuite, alone)
  expect(problems).toEqual([])
  expect(verdicts.filter(({ verdict }) => verdict !== 'killed')).toEqual([])
})
