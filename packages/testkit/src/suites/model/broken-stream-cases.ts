import assert from 'node:assert/strict'
import { type ErrorCode, type ModelEnding, SwitchyardError } from '@switchyard/contract'
import { DEFAULT_TOKENS } from '../../upstream/answer.ts'
import { ask, breakOff, endingOf, onStream, refuses } from './asking.ts'
import type { ModelCase, OpenedModel } from './model-fixture.ts'
import { dataOf, type Reading, readAll, textOf } from './reading.ts'

const BROKEN: readonly ErrorCode[] = ['UPSTREAM_UNAVAILABLE', 'UPSTREAM_TRUNCATED', 'UPSTREAM_INVALID']
const TOLD: readonly ErrorCode[] = [...BROKEN, 'UPSTREAM_REJECTED', 'RATE_LIMITED']

/** Streams that break: before content the call rejects, after it iteration does, and never does it look like an end. */
export const brokenStreamCases: readonly ModelCase[] = [
  onStream({
    id: 'model.invoke.rejects-before-content',
    promise: 'A stream that breaks before its first content rejects `invoke`, so that it may be retried.',
    async check(opened) {
      for (const fault of ['reset:first', 'end:first', 'malformed:first', 'html', 'empty', 'garbage:headers']) {
        opened.fixture.upstream.always(fault)
        const { retryable } = await refuses(opened, BROKEN, `a stream with ${fault}`, { stream: true })
        assert.equal(retryable, true, `${fault} must be retryable`)
      }
    },
  }),
  onStream({
    id: 'model.invoke.rejects-a-first-error-event',
    promise: 'An error event in place of content rejects `invoke`.',
    async check(opened) {
      for (const fault of ['error:first', 'error:first,type:rate_limit_exceeded', 'pings:3+error:first']) {
        opened.fixture.upstream.always(fault)
        await refuses(opened, TOLD, `a stream with ${fault}`, { stream: true })
      }
    },
  }),
  onStream({
    id: 'model.invoke.tells-a-reset',
    promise: 'A connection that is reset after content rejects iteration with UPSTREAM_TRUNCATED, and so does `ended` say.',
    async check(opened) {
      for (const fault of ['reset:mid', 'reset:mid,after:1', 'garbage:mid']) {
        const { error, ending } = await broken(opened, fault)
        if (fault !== 'garbage:mid') assert.equal(error.code, 'UPSTREAM_TRUNCATED')
        assert.ok(ending.outcome === 'truncated' || fault === 'garbage:mid', `the outcome of ${fault} is ${ending.outcome}`)
      }
    },
  }),
  onStream({
    id: 'model.invoke.tells-a-clean-cut',
    promise: 'A stream that ends cleanly but without its terminator rejects iteration with UPSTREAM_TRUNCATED.',
    async check(opened) {
      for (const fault of ['end:mid', 'end:mid,after:1', 'end:mid,after:8', 'end:mid,bytes:700']) {
        const { error, ending } = await broken(opened, fault)
        assert.equal(error.code, 'UPSTREAM_TRUNCATED')
        assert.equal(ending.outcome, 'truncated', `the outcome of ${fault} is ${ending.outcome}`)
      }
    },
  }),
  onStream({
    id: 'model.invoke.hands-out-what-came',
    promise: 'Content that came before a break is handed out, in whole events, and nothing after it.',
    async check(opened) {
      for (const fault of ['end:mid,after:4', 'malformed:mid', 'error:mid']) {
        const { reading } = await broken(opened, fault)
        const came = DEFAULT_TOKENS.slice(0, fault === 'end:mid,after:4' ? 4 : Math.ceil(DEFAULT_TOKENS.length / 2)).join('')
        assert.equal(contentOf(reading), came, `the content of a stream with ${fault} differs`)
      }
    },
  }),
  onStream({
    id: 'model.invoke.tells-an-error-event',
    promise: 'An error event after content rejects iteration.',
    async check(opened) {
      const { error } = await broken(opened, 'error:mid')
      assert.ok(TOLD.includes(error.code), `an error event must be an error of the upstream, not ${error.code}`)
    },
  }),
  onStream({
    id: 'model.invoke.tells-a-broken-event',
    promise: 'An event after content that is no JSON rejects iteration.',
    async check(opened) {
      const { error } = await broken(opened, 'malformed:mid')
      assert.ok(BROKEN.includes(error.code), `a broken event must be UPSTREAM_INVALID, not ${error.code}`)
    },
  }),
  onStream({
    id: 'model.invoke.tells-an-error-finish',
    promise: 'A finish reason that is an error is an error, though [DONE] follows.',
    async check(opened) {
      const { error } = await broken(opened, 'finish:overloaded_error')
      assert.ok(TOLD.includes(error.code), `an error finish must be an error of the upstream, not ${error.code}`)
    },
  }),
  onStream({
    id: 'model.invoke.settles-ended',
    promise: '`ended` settles in every ending, once, without rejecting; with an error unless it is complete.',
    async check(opened) {
      const { upstream } = opened.fixture
      for (const fault of ['', 'reset:mid', 'end:mid', 'error:mid', 'malformed:mid']) {
        upstream.always(fault)
        const reply = await ask(opened, { stream: true })
        await readAll(reply)
        await settled(reply, fault === '' ? ['complete'] : ['truncated', 'error'], fault)
      }
      upstream.always('endless:2')
      const left = await ask(opened, { stream: true })
      await breakOff(left)
      await settled(left, ['aborted'], 'a reader that leaves')
      const leave = new AbortController()
      const unread = await ask(opened, { stream: true, signal: leave.signal })
      leave.abort()
      await settled(unread, ['aborted'], 'an abort before anything was read')
    },
  }),
]

type Ended = Parameters<typeof endingOf>[0]

async function settled(reply: Ended, outcomes: readonly ModelEnding['outcome'][], what: string): Promise<void> {
  const first = await endingOf(reply)
  assert.ok(outcomes.includes(first.outcome), `the outcome of ${what || 'a whole stream'} is ${first.outcome}`)
  assert.equal(
    SwitchyardError.is(first.error),
    first.outcome !== 'complete',
    'there is an error unless the outcome is complete',
  )
  assert.equal(await endingOf(reply), first, 'ended must not settle a second time')
}

interface Broken {
  readonly reading: Reading
  readonly error: SwitchyardError
  readonly ending: ModelEnding
}

/** Reads a stream that must break after content. */
async function broken(opened: OpenedModel, fault: string): Promise<Broken> {
  opened.fixture.upstream.always(fault)
  const reply = await ask(opened, { stream: true })
  const reading = await readAll(reply)
  const { error } = reading
  assert.ok(error !== undefined, `a stream with ${fault} must reject iteration, but looked like a finished one`)
  assert.ok(SwitchyardError.is(error), `a stream with ${fault} rejected with what is no SwitchyardError: ${String(error)}`)
  const ending = await endingOf(reply)
  assert.ok(ending.outcome === 'truncated' || ending.outcome === 'error', `the outcome of ${fault} is ${ending.outcome}`)
  assert.equal(ending.error?.code, error.code, '`ended` and iteration must tell the same error')
  return { reading, error, ending }
}

/** The text, also where an error event is among what was handed out; [DONE] must not be. */
function contentOf(reading: Reading): string {
  assert.ok(!dataOf(reading).includes('[DONE]'), 'a broken stream must not hand out the terminator')
  return textOf({ ...reading, chunks: reading.chunks.filter((chunk) => !new TextDecoder().decode(chunk).includes('{"error"')) })
}
