import { expect, test } from 'vitest'
import { deploymentOf } from '../src/index.ts'

test.each([
  [{ deployment: 'openai/gpt' }, 'openai/gpt'],
  [{}, 'plugin'],
  [{ deployment: '' }, 'plugin'],
  [{ deployment: 7 }, 'plugin'],
])('guards count a call with %j by %s', (attributes, expected) => {
  expect(deploymentOf({ attributes, target: 'plugin' })).toBe(expected)
})
