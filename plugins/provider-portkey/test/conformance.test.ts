import { conformance, type ModelFixture, modelSubject, modelSuite } from '@switchyard/testkit'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { type ProviderInput, portkey } from '../src/index.ts'
import { realPortkey } from './support/portkey.ts'

let gateway: Awaited<ReturnType<typeof realPortkey>>
beforeAll(async () => {
  gateway = await realPortkey()
})
afterAll(() => gateway.stop())

const provider =
  (options: ProviderInput) =>
  ({ upstream, apiKey }: ModelFixture) =>
    portkey({
      baseUrl: `${gateway.origin}/v1`,
      providers: { fake: { apiKey, customHost: upstream.url, ...options } },
      headersTimeoutMs: 1_500,
      streamIdleTimeoutMs: 1_000,
      egress: { allow: ['127.0.0.0/8'] },
    })

const openai = modelSubject({
  name: 'provider-portkey',
  verbatim: false,
  // Portkey drops the parameters that ask for them.
  unstreamed: ['images/generations', 'audio/speech'],
  plugin: provider({ slug: 'openai' }),
})

const anthropic = modelSubject({ name: 'provider-portkey', verbatim: false, plugin: provider({ slug: 'anthropic' }) })
// Chat is Portkey's own translation there.
const ofClaude = modelSuite.cases.filter(({ id }) => /\.(messages|responses)-|\.probe\./.test(id))

describe('the model suite, through the real Portkey gateway', () => conformance(modelSuite, openai, test))
describe('what it promises of messages, responses and probes, of Claude through the real Portkey gateway', () =>
  conformance({ ...modelSuite, cases: ofClaude }, anthropic, test))
