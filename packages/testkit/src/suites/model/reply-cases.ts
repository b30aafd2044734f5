import assert from 'node:assert/strict'
import { DEFAULT_TOKENS } from '../../upstream/answer.ts'
import { BIG_INTEGER } from '../../upstream/chat.ts'
import { ask, contentOf, endingOf, onChat, unsupported, wholeBody, wholeJson } from './asking.ts'
import type { ModelCase } from './model-fixture.ts'

/** RFC 9110 section 7.6.1, and those that no longer hold once a body was read. */
const NEVER_HANDED_ON = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
  'content-encoding',
]

/** What a whole reply is. */
export const replyCases: readonly ModelCase[] = [
  onChat({
    id: 'model.invoke.answers-whole',
    promise: 'A request with stream: false is answered with status 2xx and a whole body, text of any script unharmed.',
    async check(opened) {
      const reply = await ask(opened)
      assert.equal(reply.status, 200)
      assert.equal(contentOf(reply), DEFAULT_TOKENS.join(''))
    },
  }),
  onChat({
    id: 'model.invoke.hands-out-bytes',
    promise: 'The body is the upstream’s, unknown fields and unrounded numbers included.',
    async check(opened) {
      const reply = await ask(opened)
      const text = new TextDecoder().decode(wholeBody(reply))
      if (!opened.fixture.verbatim) return assert.equal(contentOf(reply), DEFAULT_TOKENS.join(''))
      assert.ok(text.includes(BIG_INTEGER), 'the body must not be re-encoded: a big integer was rounded')
      assert.deepEqual((JSON.parse(text).x_fake_extension as { keep: string }).keep, 'this')
    },
  }),
  onChat({
    id: 'model.invoke.cleans-headers',
    promise: 'Reply headers have lower-case names; hop-by-hop ones, content-length and content-encoding are not among them.',
    async check(opened) {
      const { headers } = await ask(opened)
      for (const name of Object.keys(headers)) assert.equal(name, name.toLowerCase(), 'header names are lower-case')
      for (const name of NEVER_HANDED_ON) assert.equal(headers[name], undefined, `${name} must not be handed on`)
      assert.match(headers['content-type'] ?? '', /^application\/json/)
    },
  }),
  onChat({
    id: 'model.invoke.reports-usage',
    promise: 'Usage that the upstream reports is reported: totals, with cached and reasoning tokens as parts of them.',
    async check(opened) {
      const { usage, usageSource } = await endingOf(await ask(opened))
      assert.equal(usageSource, 'reported')
      assert.equal(usage.inputTokens, 7)
      assert.equal(usage.outputTokens, DEFAULT_TOKENS.length)
      assert.ok(usage.cacheReadTokens === undefined || usage.cacheReadTokens === 3, 'cacheReadTokens is 3 or not told')
      assert.ok(usage.reasoningTokens === undefined || usage.reasoningTokens === 2, 'reasoningTokens is 2 or not told')
    },
  }),
  onChat({
    id: 'model.invoke.invents-no-usage',
    promise: 'Usage that is absent or negative is not called reported, and whatever is told is whole numbers >= 0.',
    async check(opened) {
      for (const flaw of ['absent', 'negative', 'inconsistent']) {
        opened.fixture.upstream.always(`usage:${flaw}`)
        const { usage, usageSource } = await endingOf(await ask(opened))
        if (flaw !== 'inconsistent') assert.notEqual(usageSource, 'reported', `usage that is ${flaw} was called reported`)
        for (const [name, tokens] of Object.entries(usage)) {
          assert.ok(Number.isSafeInteger(tokens) && tokens >= 0, `${name} is ${tokens} where usage is ${flaw}`)
        }
      }
    },
  }),
  onChat({
    id: 'model.invoke.ends-whole',
    promise: '`ended` of a whole reply settles as complete.',
    async check(opened) {
      const ending = await endingOf(await ask(opened))
      assert.equal(ending.outcome, 'complete')
      assert.equal(ending.error, undefined)
    },
  }),
  onChat({
    id: 'model.invoke.says-why-it-finished',
    promise: '`ended` holds the finish reason in the dialect’s words.',
    async check(opened) {
      const tools = [{ type: 'function', function: { name: 'weather', parameters: { type: 'object', properties: {} } } }]
      for (const [fault, reason] of [
        ['', 'stop'],
        ['finish:length', 'length'],
        ['tool-call', 'tool_calls'],
      ] as const) {
        opened.fixture.upstream.always(fault)
        assert.equal((await endingOf(await ask(opened, { body: { tools } }))).finishReason, reason)
      }
    },
  }),
  embedding({
    id: 'model.invoke.embeds',
    promise: 'Embeddings are answered with one vector for each input, in their order.',
    async check(opened) {
      const reply = await ask(opened, embeddingOf(opened.fixture.embeddingModel, ['one', 'two', 'drei']))
      const { data } = wholeJson(reply) as { data: readonly { index: number; embedding: readonly number[] }[] }
      assert.deepEqual(
        data.map(({ index }) => index),
        [0, 1, 2],
      )
      for (const { embedding } of data) assert.ok(embedding.length > 0, 'a vector has dimensions')
      const { outcome, usage, usageSource } = await endingOf(reply)
      assert.deepEqual(
        { outcome, usageSource, input: usage.inputTokens, output: usage.outputTokens },
        {
          outcome: 'complete',
          usageSource: 'reported',
          input: 15,
          output: 0,
        },
      )
    },
  }),
  embedding({
    id: 'model.invoke.embeds-nothing',
    promise: 'A reply with no vectors is a reply.',
    async check(opened) {
      const reply = await ask(opened, embeddingOf(opened.fixture.embeddingModel, []))
      assert.deepEqual(wholeJson(reply).data, [])
      assert.equal((await endingOf(reply)).outcome, 'complete')
    },
  }),
]

function embeddingOf(model: string, input: readonly string[]) {
  return { endpoint: 'embeddings', model, body: { messages: undefined, input } } as const
}

function embedding(given: Pick<ModelCase, 'id' | 'promise' | 'check'>): ModelCase {
  return {
    ...given,
    declared: ({ capabilities }) => capabilities.endpoints.includes('embeddings'),
    undeclared: (opened) => unsupported(opened, embeddingOf(opened.fixture.embeddingModel, ['one'])),
  }
}
