import assert from 'node:assert/strict'
import { BIG_INTEGER } from '../../upstream/chat.ts'
import { ask, onChat, refuses, wholeJson } from './asking.ts'
import type { ModelCase, OpenedModel } from './model-fixture.ts'

/** What leaves for the upstream. */
export const requestCases: readonly ModelCase[] = [
  onChat({
    id: 'model.invoke.forwards-body',
    promise: 'Fields that the provider does not know reach the upstream as the client sent them.',
    async check(opened) {
      const unheardOf = { seed: 11, metadata: { a: ['b', { c: null }] } }
      const extra = { temperature: 0.3, ...(opened.fixture.translated ? {} : unheardOf) }
      await ask(opened, { body: extra })
      const sent = sentBody(opened)
      for (const [name, value] of Object.entries(extra))
        assert.deepEqual(sent[name], value, `field ${name} must reach the upstream`)
    },
  }),
  onChat({
    id: 'model.invoke.keeps-raw-numbers',
    promise: 'Where the raw bytes are given, numbers that JavaScript would round reach the upstream unrounded.',
    async check(opened) {
      const { model, verbatim, translated } = opened.fixture
      if (translated) return
      const body = { messages: [{ role: 'user', content: 'hi' }], model, seed: Number(BIG_INTEGER) }
      const text = JSON.stringify({ ...body, seed: '@' }).replace('"@"', BIG_INTEGER)
      await ask(opened, { body, raw: new TextEncoder().encode(text) })
      const sent = opened.fixture.upstream.requests[0]?.rawBody.toString() ?? ''
      if (verbatim)
        assert.ok(sent.includes(BIG_INTEGER), `${BIG_INTEGER} must not be re-encoded; the upstream received ${sent}`)
    },
  }),
  onChat({
    id: 'model.invoke.names-the-model',
    promise: 'The upstream receives its own name of `request.model`, which wins over the model inside the body.',
    async check(opened) {
      await ask(opened, { body: { model: 'another-model' } })
      assert.equal(sentBody(opened).model, opened.fixture.upstreamModel)
    },
  }),
  onChat({
    id: 'model.invoke.names-the-model-in-raw',
    promise: 'The same where the raw bytes are given: they do not go out with a model name that the upstream does not know.',
    async check(opened) {
      const body = { model: opened.fixture.model, messages: [{ role: 'user', content: 'hi' }] }
      await ask(opened, { body, raw: new TextEncoder().encode(JSON.stringify(body)) })
      assert.equal(sentBody(opened).model, opened.fixture.upstreamModel)
    },
  }),
  onChat({
    id: 'model.invoke.sends-unicode',
    promise: 'Text of any script reaches the upstream whole.',
    async check(opened) {
      const messages = [{ role: 'user', content: 'Grüße 你好 🚃 \u2028 \u0000 "\\' }]
      await ask(opened, { body: { messages } })
      assert.deepEqual(sentBody(opened).messages, messages)
    },
  }),
  onChat({
    id: 'model.invoke.presents-its-key',
    promise: 'The provider presents the key that it was given to its upstream.',
    async check(opened) {
      await ask(opened)
      const { upstream, apiKey } = opened.fixture
      const headers = Object.values(upstream.requests[0]?.headers ?? {})
      assert.ok(
        headers.some((value) => value.includes(apiKey)),
        'no header of the request held the key',
      )
    },
  }),
  onChat({
    id: 'model.invoke.sends-once',
    promise: 'One call is one request, also where it fails: repeating is the resilience policy’s.',
    async check(opened) {
      const { upstream } = opened.fixture
      await ask(opened)
      assert.equal(upstream.requests.length, 1, 'a call that succeeds must be sent once')
      for (const fault of ['status:503', 'status:429,retry-after:0', 'malformed:first']) {
        upstream.clear()
        upstream.always(fault)
        await refuses(opened, ['UPSTREAM_UNAVAILABLE', 'RATE_LIMITED', 'UPSTREAM_INVALID'], `a call answered by ${fault}`)
        assert.equal(upstream.requests.length, 1, `a call answered by ${fault} must be sent once`)
      }
    },
  }),
  onChat({
    id: 'model.invoke.keeps-calls-apart',
    promise: 'Calls made at the same time get each its own answer.',
    async check(opened) {
      const { upstream } = opened.fixture
      upstream.always('delay:headers:20')
      const users = Array.from({ length: 12 }, (_, index) => `user-${index}`)
      const replies = await Promise.all(users.map(async (user) => wholeJson(await ask(opened, { body: { user } }))))
      for (const [index, user] of users.entries()) {
        const record = upstream.requests.find(({ body }) => JSON.stringify(body).includes(`"${user}"`))
        assert.match(
          String(replies[index]?.id),
          new RegExp(`[-_]fake[-_]${record?.index}$`),
          `${user} must get the answer to its own request`,
        )
      }
    },
  }),
]

function sentBody({ fixture }: OpenedModel): Readonly<Record<string, unknown>> {
  const { requests } = fixture.upstream
  assert.equal(requests.length, 1, 'the upstream must receive one request')
  return requests[0]?.body as Readonly<Record<string, unknown>>
}
