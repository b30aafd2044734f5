import { definePlugin, model } from '@switchyard/contract'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { modelSubject, modelSuite, openModelFixture, runSuite } from '../src/index.ts'
import { referenceProvider } from './support/reference-provider.ts'

const reference = definePlugin({
  name: '@acme/reference-provider',
  contract: 1,
  options: z.strictObject({ url: z.url(), apiKey: z.string() }),
  provides: { model },
  setup: ({ options }) => ({ ports: { model: referenceProvider(options) } }),
})

test('a plugin is examined against an upstream of its own in every case', async () => {
  const ports = new Set<number>()
  const subject = modelSubject({
    name: 'acme',
    plugin({ upstream, apiKey }) {
      ports.add(upstream.port)
      return reference({ url: upstream.url, apiKey })
    },
  })
  const report = await runSuite(modelSuite, subject, { only: ['model.models', 'model.probe', 'model.invoke.presents-its-key'] })
  expect(report).toMatchObject({ subject: 'acme', failed: 0, passed: 6, port: { id: 'model', version: 1 } })
  expect(ports.size).toBe(6)
})

test('a name that the upstream does not receive so is told', async () => {
  const subject = modelSubject({
    upstreamModel: 'gpt-real',
    plugin: ({ upstream, apiKey }) => reference({ url: upstream.url, apiKey }),
  })
  const { cases } = await runSuite(modelSuite, subject, { only: ['model.invoke.names-the-model'] })
  expect(cases[0]?.error?.message).toMatch(/gpt-real/)
})

test('what depends on the very bytes is not examined where a gateway re-encodes them', async () => {
  const plugin = ({ upstream, apiKey }: { readonly upstream: { readonly url: string }; readonly apiKey: string }) =>
    reference({ url: upstream.url, apiKey })
  const subject = modelSubject({ plugin, verbatim: false, model: 'fake/gpt-fake', embeddingModel: 'fake/embedding-fake' })
  const only = ['model.invoke.hands-out-bytes', 'model.invoke.keeps-raw-numbers', 'model.invoke.follows-no-redirect']
  expect(await runSuite(modelSuite, subject, { only })).toMatchObject({ failed: 0, passed: 3 })
})

test('each fixture has a key and a port of its own', async () => {
  const [one, two] = await Promise.all([openModelFixture(), openModelFixture()])
  expect(one.fixture.apiKey).not.toBe(two.fixture.apiKey)
  await Promise.all([one.close(), two.close()])
})
