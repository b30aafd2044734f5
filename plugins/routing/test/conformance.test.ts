import { router } from '@switchyard/contract'
import { conformance, judgeMutants, pluginSubject, routerSuite } from '@switchyard/testkit'
import { describe, expect, test } from 'vitest'
import { routing } from '../src/index.ts'
import { providers } from './support/world.ts'

const subject = pluginSubject({
  name: 'routing',
  port: router,
  plugin: () => routing({ routes: { chat: { targets: ['openai/a'] }, small: { targets: ['openai/b'] } } }),
  deps: { providers: providers({ openai: {} }) },
})

describe('the router suite', () => conformance(routerSuite, subject, test))

test('mutants of its routes are all killed', async () => {
  const { problems, verdicts } = await judgeMutants(routerSuite, subject)
  expect(problems).toEqual([])
  expect(verdicts.filter(({ verdict }) => verdict !== 'killed')).toEqual([])
})
