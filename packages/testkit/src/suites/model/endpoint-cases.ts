import assert from 'node:assert/strict'
import { type ErrorCode, type ModelProvider, SwitchyardError } from '@switchyard/contract'
import { type Asking, ask, endingOf, refuses, unsupported } from './asking.ts'
import { ENDPOINTS, type EndpointPromise, RECORDING_BYTES, type StreamPromise } from './endpoints.ts'
import type { ModelCase, ModelFixture, OpenedModel } from './model-fixture.ts'
import { dataOf, readAll, readWell } from './reading.ts'

const BROKEN: readonly ErrorCode[] = ['UPSTREAM_UNAVAILABLE', 'UPSTREAM_TRUNCATED', 'UPSTREAM_INVALID']
const TOLD: readonly ErrorCode[] = [...BROKEN, 'UPSTREAM_REJECTED', 'RATE_LIMITED']

const FAILURES: readonly (readonly [fault: string, codes: readonly ErrorCode[]])[] = [
  ['status:400', ['UPSTREAM_REJECTED']],
  ['status:401', ['UPSTREAM_REJECTED']],
  ['status:429', ['RATE_LIMITED']],
  ['status:503', ['UPSTREAM_UNAVAILABLE']],
  ['html', ['UPSTREAM_INVALID']],
  ['empty', ['UPSTREAM_INVALID', 'UPSTREAM_TRUNCATED']],
  ['malformed:first', ['UPSTREAM_INVALID']],
  ['error:first', TOLD],
  ['reset:mid', BROKEN],
  ['short', BROKEN],
]

/** What each endpoint beside chat and embeddings promises where it is declared, spoken by the upstream or translated. */
export const endpointCases: readonly ModelCase[] = ENDPOINTS.flatMap((promise) => [
  answers(promise),
  rejects(promise),
  ...(promise.streamed === undefined ? [] : [streams(promise, promise.streamed), breaks(promise, promise.streamed)]),
])

function answers(promise: EndpointPromise): ModelCase {
  const { endpoint, key, content, expected, usage } = promise
  return on(promise, promise.asking, {
    id: `model.invoke.${key}-answers`,
    promise: `A request for ${endpoint} is answered in its own dialect, with the upstream's model, the answer and its usage unharmed.`,
    async check(opened, asking) {
      const reply = await ask(opened, asking)
      assert.equal(reply.status, 200)
      assert.deepEqual(content(reply), expected, 'the answer differs from what the upstream said')
      const { outcome, usageSource, usage: counted } = await endingOf(reply)
      assert.equal(outcome, 'complete')
      if (usage === undefined) assert.notEqual(usageSource, 'reported', 'usage that nobody told was called reported')
      else assert.deepEqual([usageSource, counted.inputTokens, counted.outputTokens], ['reported', ...usage])
      const sent = opened.fixture.upstream.requests[0]?.body as Readonly<Record<string, unknown>>
      assert.equal(sent.model, opened.fixture.upstreamModel, 'the upstream must receive its own name of the model')
      if (asking.raw !== undefined)
        assert.equal((sent.file as { size?: unknown }).size, RECORDING_BYTES, 'the file must go on whole')
    },
  })
}

function rejects(promise: EndpointPromise): ModelCase {
  const { endpoint, key } = promise
  return on(promise, promise.asking, {
    id: `model.invoke.${key}-rejects`,
    promise: `Whatever is no answer of ${endpoint} rejects with the code that stands for it: an error status, a page, an error in a 200, half a body.`,
    async check(opened, asking) {
      for (const [fault, codes] of FAILURES) {
        opened.fixture.upstream.always(fault)
        // A gateway in between may wait for the rest of a body for ever.
        const or: readonly ErrorCode[] = /reset|short/.test(fault) && !opened.fixture.verbatim ? ['TIMEOUT'] : []
        await refuses(opened, [...codes, ...or], `a call of ${endpoint} answered by ${fault}`, asking)
      }
    },
  })
}

function streams(promise: EndpointPromise, { asking: ofStream, content, expected, last }: StreamPromise): ModelCase {
  const { endpoint, key, usage } = promise
  return on(promise, ofStream, {
    id: `model.invoke.${key}-streams`,
    promise: `A stream of ${endpoint} hands out all content in order, in whole events, ends with its own terminator, and is complete.`,
    async check(opened, asking) {
      for (const fault of ['', 'split:7', 'pings:3+lines:crlf']) {
        opened.fixture.upstream.always(fault)
        const reply = await ask(opened, asking)
        const data = dataOf(await readWell(reply))
        assert.deepEqual(content(events(data)), expected, `the content of a stream ${fault} differs`)
        assert.match(data.at(-1) ?? '', last, 'a stream must end with its terminator')
        const { outcome, usageSource, usage: counted } = await endingOf(reply)
        assert.equal(outcome, 'complete')
        if (usage !== undefined && usageSource === 'reported')
          assert.deepEqual([counted.inputTokens, counted.outputTokens], usage, `the usage of a stream ${fault} differs`)
      }
    },
  })
}

function breaks(promise: EndpointPromise, { asking: ofStream, last }: StreamPromise): ModelCase {
  const { endpoint, key } = promise
  return on(promise, ofStream, {
    id: `model.invoke.${key}-breaks`,
    promise: `A stream of ${endpoint} that breaks before content rejects \`invoke\`; after it, iteration rejects, without the terminator, and \`ended\` says so.`,
    async check(opened, asking) {
      const { upstream } = opened.fixture
      for (const fault of ['end:first', 'error:first', 'malformed:first', 'html']) {
        upstream.always(fault)
        await refuses(opened, fault === 'error:first' ? TOLD : BROKEN, `a stream of ${endpoint} with ${fault}`, asking)
      }
      for (const [fault, codes] of [
        ['end:mid', ['UPSTREAM_TRUNCATED']],
        ['error:mid', TOLD],
      ] as const) {
        upstream.always(fault)
        const reply = await ask(opened, asking)
        const reading = await readAll(reply)
        assert.ok(SwitchyardError.is(reading.error), `a stream with ${fault} must reject, not look like a finished one`)
        assert.ok((codes as readonly string[]).includes(reading.error.code), `${fault} was told as ${reading.error.code}`)
        assert.ok(!dataOf(reading).some((data) => last.test(data)), `a stream with ${fault} must not hand out its terminator`)
        const { outcome } = await endingOf(reply)
        assert.equal(outcome, fault === 'end:mid' ? 'truncated' : 'error')
      }
    },
  })
}

interface Given {
  readonly id: string
  readonly promise: string
  check(opened: OpenedModel, asking: Asking): Promise<void>
}

function on(
  { endpoint }: EndpointPromise,
  askingOf: (fixture: ModelFixture) => Asking,
  { id, promise, check }: Given,
): ModelCase {
  const asking = (opened: OpenedModel): Asking => ({ endpoint, ...askingOf(opened.fixture) })
  return {
    id,
    promise,
    declared: ({ capabilities }: ModelProvider) =>
      capabilities.endpoints.includes(endpoint) && (capabilities.streaming || !/-(streams|breaks)$/.test(id)),
    check: (opened) => {
      const { stream } = asking(opened)
      if (stream && opened.fixture.unstreamed.includes(endpoint)) return unsupported(opened, asking(opened))
      return check(opened, asking(opened))
    },
    undeclared: (opened) => unsupported(opened, asking(opened)),
  }
}

function events(data: readonly string[]): readonly Readonly<Record<string, unknown>>[] {
  return data.filter((text) => text !== '[DONE]').map((text) => JSON.parse(text) as Readonly<Record<string, unknown>>)
}
