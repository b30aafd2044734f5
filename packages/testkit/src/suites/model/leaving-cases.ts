import assert from 'node:assert/strict'
import { type ModelProvider, SwitchyardError } from '@switchyard/contract'
import { rejectsWith } from '../../conformance/rejects-with.ts'
import { AT_ONCE_MS, ask, breakOff, endingOf, onChat, onStream, within } from './asking.ts'
import type { ModelCase, OpenedModel } from './model-fixture.ts'
import { readAll } from './reading.ts'

/** The caller leaves: by its signal, or by breaking off iteration. */
export const leavingCases: readonly ModelCase[] = [
  onChat({
    id: 'model.invoke.sends-nothing-once-aborted',
    promise: 'A signal that is already aborted rejects ABORTED, and nothing is sent.',
    async check(opened) {
      await rejectsWith(() => ask(opened, { signal: AbortSignal.abort() }), 'ABORTED', 'a call with an aborted signal')
      assert.equal(opened.fixture.upstream.requests.length, 0, 'nothing may be sent once the signal is aborted')
    },
  }),
  onChat({
    id: 'model.invoke.aborts-before-headers',
    promise: 'An abort while the upstream is silent rejects ABORTED at once.',
    async check(opened) {
      opened.fixture.upstream.always('stall:headers')
      const leave = new AbortController()
      const call = ask(opened, { signal: leave.signal })
      await arrived(opened)
      leave.abort()
      await within(
        AT_ONCE_MS,
        'an aborted call',
        rejectsWith(() => call, 'ABORTED', 'an aborted call'),
      )
    },
  }),
  onChat({
    id: 'model.invoke.aborts-in-mid-body',
    promise: 'An abort in the middle of a whole body rejects ABORTED at once.',
    async check(opened) {
      opened.fixture.upstream.always('stall:mid')
      const leave = new AbortController()
      const call = ask(opened, { signal: leave.signal })
      await arrived(opened)
      await new Promise((resolve) => setTimeout(resolve, 30))
      leave.abort()
      await within(
        AT_ONCE_MS,
        'an aborted call',
        rejectsWith(() => call, 'ABORTED', 'an aborted call'),
      )
    },
  }),
  onChat({
    id: 'model.invoke.keeps-the-reason',
    promise: 'A signal whose reason is a SwitchyardError rejects with its code: TIMEOUT stays TIMEOUT.',
    async check(opened) {
      opened.fixture.upstream.always('stall:headers')
      const leave = new AbortController()
      const call = ask(opened, { signal: leave.signal })
      await arrived(opened)
      leave.abort(new SwitchyardError('TIMEOUT', 'the deadline passed'))
      await within(
        AT_ONCE_MS,
        'a call past its deadline',
        rejectsWith(() => call, 'TIMEOUT', 'a call past its deadline'),
      )
    },
  }),
  onStream({
    id: 'model.invoke.aborts-before-content',
    promise: 'An abort after the headers of a stream, before its content, rejects ABORTED at once.',
    async check(opened) {
      opened.fixture.upstream.always('stall:first')
      const leave = new AbortController()
      const call = ask(opened, { stream: true, signal: leave.signal })
      await arrived(opened)
      await new Promise((resolve) => setTimeout(resolve, 30))
      leave.abort()
      await within(
        AT_ONCE_MS,
        'an aborted stream',
        rejectsWith(() => call, 'ABORTED', 'an aborted stream'),
      )
    },
  }),
  onStream({
    id: 'model.invoke.aborts-mid-stream',
    promise: 'An abort in the middle of a stream rejects iteration with ABORTED at once, and `ended` says so.',
    async check(opened) {
      opened.fixture.upstream.always('stall:mid')
      const leave = new AbortController()
      const reply = await ask(opened, { stream: true, signal: leave.signal })
      const reading = readAll(reply, AT_ONCE_MS + 200)
      setTimeout(() => leave.abort(), 50)
      const { error } = await reading
      assert.ok(SwitchyardError.is(error, 'ABORTED'), `iteration must reject with ABORTED, not ${String(error)}`)
      assert.equal((await endingOf(reply)).outcome, 'aborted')
    },
  }),
  onStream({
    id: 'model.invoke.ends-when-broken-off',
    promise: 'Breaking off iteration ends the reply as aborted.',
    async check(opened) {
      opened.fixture.upstream.always('stall:mid')
      const reply = await ask(opened, { stream: true })
      await within(AT_ONCE_MS, 'breaking off a silent stream', breakOff(reply))
      assert.equal((await endingOf(reply)).outcome, 'aborted')
    },
  }),
  cancelling({
    id: 'model.invoke.cancels-on-abort',
    promise: 'An abort stops the upstream’s work within a second: before headers, before content and in mid-stream.',
    async check(opened) {
      for (const fault of ['stall:headers', 'stall:first', 'endless:5']) {
        opened.fixture.upstream.clear()
        opened.fixture.upstream.always(fault)
        const leave = new AbortController()
        const { streaming } = opened.instance.capabilities
        const call = ask(opened, { stream: streaming, signal: leave.signal })
        const over = call.then(
          (reply) => (reply.body instanceof Uint8Array ? undefined : readAll(reply)),
          () => {},
        )
        await arrived(opened)
        await new Promise((resolve) => setTimeout(resolve, 30))
        leave.abort()
        await stopped(opened, `after an abort during ${fault}`)
        await over
      }
    },
  }),
  cancelling({
    id: 'model.invoke.cancels-on-break',
    promise: 'Breaking off iteration stops the upstream’s work within a second.',
    async check(opened) {
      if (!opened.instance.capabilities.streaming) return
      opened.fixture.upstream.always('endless:5')
      await breakOff(await ask(opened, { stream: true }))
      await stopped(opened, 'after iteration was broken off')
    },
  }),
]

/** The request has reached the upstream. */
async function arrived({ fixture }: OpenedModel): Promise<void> {
  const until = performance.now() + 3000
  while (fixture.upstream.requests.length === 0 || fixture.upstream.requests[0]?.rawBody.length === 0) {
    assert.ok(performance.now() < until, 'the request did not reach the upstream')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

async function stopped({ fixture }: OpenedModel, when: string): Promise<void> {
  const record = await within(AT_ONCE_MS, `the upstream's socket ${when}`, fixture.upstream.whenClosed(0))
  assert.equal(record.closedBeforeEnd, true, `the upstream's work must be stopped ${when}`)
}

/** A promise of providers whose leaving stops the upstream's work; of the others, that they leave at once themselves. */
function cancelling(given: Pick<ModelCase, 'id' | 'promise' | 'check'>): ModelCase {
  return {
    ...given,
    declared: ({ capabilities }: ModelProvider) => capabilities.cancels && capabilities.endpoints.includes('chat/completions'),
    async undeclared(opened) {
      if (!opened.instance.capabilities.endpoints.includes('chat/completions')) return
      opened.fixture.upstream.always('stall:headers')
      const leave = new AbortController()
      const call = ask(opened, { signal: leave.signal })
      setTimeout(() => leave.abort(), 30)
      await within(
        AT_ONCE_MS,
        'an aborted call',
        rejectsWith(() => call, 'ABORTED', 'an aborted call'),
      )
    },
  }
}
