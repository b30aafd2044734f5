import type { ModelEndpoint } from '@switchyard/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { limitField, pathOf, SLUGS } from '../src/adapters.ts'
import { keptParameters } from '../src/kept-parameters.ts'
import { realPortkey } from './support/portkey.ts'
import { type Stub, startStub } from './support/stub.ts'

let gateway: Awaited<ReturnType<typeof realPortkey>>
let vendor: Stub
beforeAll(async () => {
  ;[gateway, vendor] = await Promise.all([realPortkey(), startStub()])
})
afterAll(async () => {
  await vendor?.close()
  gateway?.stop()
})

const CREDENTIALS = {
  'x-portkey-aws-access-key-id': 'a',
  'x-portkey-aws-secret-access-key': 'b',
  'x-portkey-aws-region': 'us-east-1',
  'x-portkey-azure-resource-name': 'r',
  'x-portkey-azure-deployment-id': 'd',
  'x-portkey-azure-api-version': 'v',
  'x-portkey-vertex-project-id': 'p',
  'x-portkey-vertex-region': 'us',
}

/** Without a private key that can be read, the first request for oracle ends Portkey's process. */
const ASKED = [...SLUGS].filter((slug) => slug !== 'oracle')

/** Asks the real Portkey, and gives what it said and what the provider then received. */
async function ask(slug: string, path: string, body: object): Promise<{ readonly said: string; readonly received: string }> {
  const host = `${vendor.origin}/v1`
  const response = await fetch(`${gateway.origin}/v1/${path}`, {
    method: 'POST',
    headers: {
      ...CREDENTIALS,
      'x-portkey-azure-foundry-url': host,
      'x-portkey-custom-host': host,
      'x-portkey-provider': slug,
      authorization: 'Bearer k',
      'content-type': 'application/json',
    },
    body: JSON.stringify(body),
  })
  const said = await response.text()
  const [seen] = vendor.seen.splice(0)
  return { said, received: seen === undefined ? '' : `${seen.path} ${JSON.stringify(seen.body)}` }
}

/** Two clouds pick the adapter by the model, and are asked for one that has it. */
function modelOf(slug: string, endpoint: ModelEndpoint): string {
  if (slug !== 'bedrock' && slug !== 'vertex-ai') return 'm'
  if (endpoint === 'images/generations') return slug === 'bedrock' ? 'stability.stable-image' : 'imagen-3'
  if (endpoint === 'embeddings') return slug === 'bedrock' ? 'cohere.embed' : 'text-embedding-4'
  return endpoint === 'completions' ? 'anthropic.claude-v2' : 'anthropic.claude-3'
}

const messages = [{ role: 'user', content: 'x' }]
const BODIES: Partial<Record<ModelEndpoint, object>> = {
  'chat/completions': { messages },
  completions: { prompt: 'x', max_tokens: 9 },
  embeddings: { input: 'x' },
  responses: { input: 'x' },
  messages: { messages, max_tokens: 5 },
  'images/generations': { prompt: 'x' },
  'audio/speech': { input: 'x', voice: 'v' },
}

/** Answers for everything by its adapter for images. */
const ODD: ReadonlySet<string> = new Set(['stability-ai'])

test.each(Object.keys(BODIES) as ModelEndpoint[])(
  '%s is asked of those that the real Portkey adapts it for',
  async (endpoint) => {
    const adapted: string[] = []
    for (const slug of ASKED) {
      const { said, received } = await ask(slug, endpoint, { model: modelOf(slug, endpoint), ...BODIES[endpoint] })
      if (ODD.has(slug) && endpoint !== 'images/generations') continue
      if (endpoint === 'responses' && received.includes('chat/completions')) continue
      if (!said.includes('is not supported by')) adapted.push(slug)
    }
    const known = ASKED.filter((slug) => pathOf({ slug, claude: true, ownHost: false }, endpoint) !== undefined)
    expect(known).toEqual(adapted)
  },
)

const PARAMETERS: Partial<Record<ModelEndpoint, Readonly<Record<string, unknown>>>> = {
  completions: {
    best_of: 2,
    echo: true,
    frequency_penalty: 0.5,
    logit_bias: { 1: 1 },
    logprobs: 2,
    max_tokens: 7,
    n: 2,
    presence_penalty: 0.3,
    seed: 1,
    stop: ['a'],
    stream: true,
    stream_options: { include_usage: true },
    suffix: 's',
    temperature: 0.7,
    top_p: 0.3,
    user: 'u',
    x_unknown: 1,
  },
  'images/generations': {
    background: 'opaque',
    moderation: 'low',
    n: 2,
    output_compression: 3,
    output_format: 'png',
    partial_images: 1,
    quality: 'hd',
    response_format: 'b64_json',
    size: '512x512',
    style: 'natural',
    user: 'u',
    x_unknown: 1,
  },
  'audio/speech': { instructions: 'i', response_format: 'wav', speed: 2, stream_format: 'sse', x_unknown: 1 },
  messages: {
    container: 'c',
    mcp_servers: [{ type: 'url', url: 'https://x', name: 'n' }],
    metadata: { user_id: 'u' },
    service_tier: 'auto',
    stop_sequences: ['a'],
    stream: true,
    system: 's',
    temperature: 0.5,
    thinking: { type: 'enabled', budget_tokens: 1_024 },
    tool_choice: { type: 'any' },
    tools: [{ name: 't', description: 'd', input_schema: { type: 'object', properties: {} } }],
    top_k: 3,
    top_p: 0.5,
    output_config: { effort: 'low' },
    context_management: { edits: [] },
    inference_geo: 'x',
    x_unknown: 1,
  },
  responses: {
    background: true,
    conversation: 'c',
    include: ['a'],
    instructions: 'i',
    max_output_tokens: 3,
    max_tool_calls: 2,
    metadata: { a: 'b' },
    moderation: {},
    parallel_tool_calls: false,
    previous_response_id: 'p',
    prompt: { id: 'p' },
    prompt_cache_key: 'k',
    prompt_cache_options: {},
    prompt_cache_retention: '24h',
    reasoning: { effort: 'low' },
    safety_identifier: 's',
    service_tier: 'flex',
    store: false,
    stream: true,
    stream_options: { include_obfuscation: false },
    temperature: 0.5,
    text: { format: { type: 'json_object' } },
    tool_choice: 'required',
    tools: [{ type: 'function', name: 'x' }],
    top_logprobs: 1,
    top_p: 0.4,
    truncation: 'auto',
    user: 'u',
    context_management: [],
    x_unknown: 1,
  },
}

test.each(Object.keys(PARAMETERS) as ModelEndpoint[])(
  'parameters of %s are kept as the real Portkey keeps them',
  async (endpoint) => {
    for (const slug of ASKED) {
      const known = keptParameters(slug, endpoint)
      // Its form has another boundary in every request.
      if (known === undefined || slug === 'stability-ai') continue
      const base = { model: modelOf(slug, endpoint), ...BODIES[endpoint] }
      const { received } = await ask(slug, endpoint, base)
      expect(received).not.toBe('')
      const kept: string[] = []
      for (const [name, value] of Object.entries(PARAMETERS[endpoint] as object))
        if ((await ask(slug, endpoint, { ...base, [name]: value })).received !== received) kept.push(name)
      const expected = Object.keys(PARAMETERS[endpoint] as object).filter((name) => known.has(name))
      expect([slug, ...kept]).toEqual([slug, ...expected])
    }
  },
  60_000,
)

test('a chat has the output limit by the name that reaches the provider', async () => {
  for (const slug of ASKED.filter((name) => pathOf({ slug: name, claude: true, ownHost: false }, 'chat/completions'))) {
    // Neither name reaches it.
    if (slug === 'monsterapi') continue
    const base = { model: modelOf(slug, 'chat/completions'), messages }
    const { received } = await ask(slug, 'chat/completions', base)
    const limited = await ask(slug, 'chat/completions', { ...base, [limitField([slug])]: 7 })
    expect([slug, limited.received === received]).toEqual([slug, false])
  }
})

test.each([
  ['cohere', 'rerank', '/v1/v2/rerank'],
  ['together-ai', 'rerank', '/v1/v1/rerank'],
  ['jina', 'rerank', '/v1/rerank'],
  ['openai', 'moderations', '/v1/moderations'],
  ['mistral-ai', 'moderations', '/v1/moderations'],
] as const)('of %s, %s arrives below its host at %s, whole', async (slug, endpoint, path) => {
  const below = pathOf({ slug, claude: false, ownHost: false }, endpoint)
  const { received } = await ask(slug, String(below), { model: 'm', x_unknown: 1 })
  expect(received).toBe(`${path} {"model":"m","x_unknown":1}`)
})
