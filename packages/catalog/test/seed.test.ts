import { expect, test } from 'vitest'
import { seedCatalog } from '../src/index.ts'

test('the seed is parsed once and names what it has', () => {
  expect(seedCatalog()).toBe(seedCatalog())
  expect(seedCatalog().resolve('OpenAI/GPT-5.4').id).toBe('openai/gpt-5.4')
})
