import { describe, expect, test } from 'vitest'
import { kindByName } from '../src/identity/kinds.ts'
import { makerOf, spellingKey } from '../src/identity/model-names.ts'
import { isPseudoProvider } from '../src/identity/providers.ts'
import { baseModelKey, canonicalProvider, isMoving, NATIVE_PROVIDERS } from '../src/index.ts'
import { entryOf } from './support.ts'

test('there are 73 providers of Portkey’s own, each its own canonical name', () => {
  expect(NATIVE_PROVIDERS.size).toBe(73)
  expect([...NATIVE_PROVIDERS].filter((slug) => canonicalProvider(slug) !== slug)).toEqual([])
})

test.each([
  ['amazon-bedrock', 'bedrock'],
  ['bedrock_converse', 'bedrock'],
  ['aws', 'bedrock'],
  ['vertex_ai-anthropic_models', 'vertex-ai'],
  ['google-vertex-anthropic', 'vertex-ai'],
  ['gemini', 'google'],
  ['azure', 'azure-openai'],
  ['azure_ai', 'azure-ai'],
  ['codestral', 'mistral-ai'],
  ['together_ai', 'together-ai'],
  ['fireworks_ai-embedding-models', 'fireworks-ai'],
  ['huggingface_fireworks-ai', 'huggingface'],
  ['xai', 'x-ai'],
  ['zai', 'z-ai'],
  ['zhipuai', 'zhipu'],
  ['alibaba', 'dashscope'],
  ['cloudflare-workers-ai', 'workers-ai'],
  ['jina_ai', 'jina'],
  ['oci', 'oracle'],
  ['io-net', 'iointelligence'],
  ['open-ai', 'openai'],
  ['OpenAI', 'openai'],
  ['some_new_one', 'some-new-one'],
  ['constructor', 'constructor'],
])('%s is %s', (name, slug) => {
  expect(canonicalProvider(name)).toBe(slug)
})

test.each([
  'cursor',
  'openai-codex',
  'github-copilot',
  'gitlab_duo',
  'kimi-code-plan-cn',
  'umans-ai',
  'alibaba-token-plan-cn',
  'zai-coding-plan',
  'stepfun-step-plan',
  'local',
])('%s is no provider', (name) => {
  expect(isPseudoProvider(name)).toBe(true)
})

test.each(['openai', 'minimax', 'github', 'opencode', 'moonshot'])('%s is one', (name) => {
  expect(isPseudoProvider(name)).toBe(false)
})

describe('the key of the weights', () => {
  test.each([
    ['us.anthropic.claude-sonnet-4-5-20250929-v1:0', 'claude-sonnet-4-5-20250929'],
    ['global.anthropic.claude-x-v1', 'claude-x'],
    ['meta.llama3-1-8b-instruct-v1:0', 'llama3-1-8b-instruct'],
    ['us-gov.amazon.nova-pro-v1:0', 'nova-pro'],
    ['deepseek-v3', 'deepseek-v3'],
    ['recraft-v3', 'recraft-v3'],
    ['deepseek/deepseek-v3:free', 'deepseek-v3'],
    ['anthropic/Claude-3.7:beta', 'claude-3.7'],
    ['claude-x@20250929', 'claude-x-20250929'],
    ['claude-x@default', 'claude-x'],
    ['llama-3-maas', 'llama-3'],
    ['accounts/fireworks/models/Llama-X', 'llama-x'],
    ['anthropic/claude-3.7:thinking', 'claude-3.7:thinking'],
    ['qwen3-32b-fp8', 'qwen3-32b-fp8'],
  ])('%s', (model, key) => {
    expect(baseModelKey(model)).toBe(key)
  })

  test.each([
    ['gpt-5.4', 'openai'],
    ['claude-x', 'anthropic'],
    ['o3-mini', 'openai'],
    ['olmo-2', undefined],
    ['glm-5', 'z-ai'],
  ])('the maker of %s is %s', (base, maker) => {
    expect(makerOf(base)).toBe(maker)
  })
})

test('spellings of one model at one provider meet', () => {
  expect(spellingKey('Claude-X@20250929')).toBe('claude-x-20250929')
  expect(spellingKey('accounts/fireworks/models/M')).toBe('m')
  expect(spellingKey('x@default')).toBe('x@default')
})

test.each([
  ['mistral-small-latest', true],
  ['~openai/gpt-latest', true],
  ['~anthropic/x', true],
  ['deepseek-chat', true],
  ['deepseek/deepseek-chat', true],
  ['grok-4.20-beta-latest-reasoning', true],
  ['claude:latest', true],
  ['latest-model', false],
  ['deepseek-chat-v3-0324', false],
  ['gpt-5.4', false],
])('%s moves: %s', (model, moving) => {
  expect(isMoving(model)).toBe(moving)
})

test.each([
  ['text-embedding-3-small', 'embedding'],
  ['BAAI/bge-m3', 'embedding'],
  ['cohere.rerank-v3-5:0', 'rerank'],
  ['whisper-1', 'transcription'],
  ['gpt-4o-mini-tts', 'speech'],
  ['mistral-ocr-latest', 'ocr'],
  ['dall-e-3', 'image'],
  ['sora-2', 'video'],
  ['omni-moderation-latest', 'moderation'],
  ['llama-guard-3-8b', undefined],
  ['deepseek-ocr', undefined],
  ['gpt-5.4', undefined],
  ['gpt-4o-audio-preview', undefined],
])('%s is by its name %s', (model, kind) => {
  expect(kindByName(model)).toBe(kind)
})

test('endpoints follow from kind and provider, and the way from the slug', () => {
  expect(entryOf({ provider: 'anthropic' }).endpoints).toEqual(['chat/completions', 'messages'])
  expect(entryOf({ provider: 'anthropic' }).route).toEqual({ via: 'portkey', slug: 'anthropic' })
  expect(entryOf({ kind: 'embedding' })).toMatchObject({ endpoints: ['embeddings'], modalities: { input: [], output: [] } })
  expect(entryOf({ kind: 'video' })).toMatchObject({ endpoints: [], route: { via: 'unknown' } })
})
