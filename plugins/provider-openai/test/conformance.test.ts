import { conformance, modelSubject, modelSuite } from '@switchyard/testkit'
import { describe, test } from 'vitest'
import { openai } from '../src/index.ts'

const subject = modelSubject({
  name: 'provider-openai',
  plugin: ({ upstream, apiKey }) =>
    openai({
      provider: 'fake',
      baseUrl: upstream.url,
      apiKey,
      headersTimeoutMs: 1_000,
      streamIdleTimeoutMs: 1_000,
      egress: { allow: ['127.0.0.0/8'] },
    }),
})

describe('the model suite', () => conformance(modelSuite, subject, test))
