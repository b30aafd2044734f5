import { conformance, type ModelFixture, modelSubject, modelSuite } from '@switchyard/testkit'
import { describe, test } from 'vitest'
import { type OpenAiInput, openai } from '../src/index.ts'

const plugin =
  (options: OpenAiInput) =>
  ({ upstream, apiKey }: ModelFixture) =>
    openai({
      provider: 'fake',
      baseUrl: upstream.url,
      apiKey,
      headersTimeoutMs: 1_000,
      streamIdleTimeoutMs: 1_000,
      egress: { allow: ['127.0.0.0/8'] },
      ...options,
    })

const everything = modelSubject({ name: 'provider-openai', plugin: plugin({}) })
const chatOnly = modelSubject({ name: 'provider-openai', plugin: plugin({ endpoints: ['chat/completions', 'rerank'] }) })
const anthropic = modelSubject({
  name: 'provider-openai',
  translated: true,
  plugin: plugin({ dialect: 'anthropic' }),
})

describe('the model suite', () => conformance(modelSuite, everything, test))
describe('the model suite over an upstream that speaks chat and rerank only', () => conformance(modelSuite, chatOnly, test))
describe("the model suite over Anthropic's dialect", () => conformance(modelSuite, anthropic, test))
