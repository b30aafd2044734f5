import { conformance, modelSubject, modelSuite } from '@switchyard/testkit'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { portkey } from '../src/index.ts'
import { realPortkey } from './support/portkey.ts'

let gateway: Awaited<ReturnType<typeof realPortkey>>
beforeAll(async () => {
  gateway = await realPortkey()
})
afterAll(() => gateway.stop())

const subject = modelSubject({
  name: 'provider-portkey',
  verbatim: false,
  plugin: ({ upstream, apiKey }) =>
    portkey({
      baseUrl: `${gateway.origin}/v1`,
      providers: { fake: { slug: 'openai', apiKey, customHost: upstream.url } },
      headersTimeoutMs: 1_500,
      streamIdleTimeoutMs: 1_000,
      egress: { allow: ['127.0.0.0/8'] },
    }),
})

describe('the model suite, through the real Portkey gateway', () => conformance(modelSuite, subject, test))
