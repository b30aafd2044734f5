import { startPlugin } from '@switchyard/testkit'
import { describe, expect, test } from 'vitest'
import { type HealthInput, health } from '../src/index.ts'

describe('options refuse', () => {
  test.each<[string, object, RegExp]>([
    ['an unknown name', { failure: {} }, /failure/],
    ['an unknown name inside', { failures: { consecutiv: 5 } }, /consecutiv/],
    ['no failures', { failures: { consecutive: 0 } }, /consecutive/],
    ['a share above one', { failures: { share: 1.1 } }, /share/],
    ['no share', { ejection: { maxShare: 0 } }, /maxShare/],
    ['a short window that is the longer', { failures: { shortMs: 20_000 } }, /must not pass windowMs/],
    ['a first ejection that is the longest', { ejection: { baseMs: 400_000 } }, /must not pass maxMs/],
    ['a time that no timer carries', { probes: { intervalMs: 2 ** 31 } }, /intervalMs/],
    ['a factor that finds everything slow', { latency: { factor: 1 } }, /factor/],
    ['an empty topic', { fleet: { topic: '' } }, /topic/],
    ['no history', { historySize: 0 }, /historySize/],
    ['a text', { maxDeployments: '5' }, /maxDeployments/],
  ])('%s', async (_, input, message) => {
    await expect(startPlugin(health(input))).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(message),
    })
  })
})

test('every option has a default, also beside one that is given', async () => {
  const defaults = (await startPlugin(health())).options
  expect(defaults).toMatchObject({
    failures: { consecutive: 5, windowMs: 10_000 },
    ejection: { maxShare: 0.1 },
    probes: { instances: [] },
  })
  const input: HealthInput = { failures: { consecutive: 3 } }
  expect((await startPlugin(health(input))).options).toEqual({
    ...(defaults as object),
    failures: { ...(defaults as { failures: object }).failures, consecutive: 3 },
  })
})
