import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import type { ErrorCode, SwitchyardError } from '@switchyard/contract'
import { type Asking, onChat, refuses } from './asking.ts'
import type { ModelCase, OpenedModel } from './model-fixture.ts'

/** Status, the codes that may stand for it, and whether a repeat may help. */
const STATUSES: readonly (readonly [status: number, codes: readonly ErrorCode[], retryable: boolean])[] = [
  [400, ['UPSTREAM_REJECTED'], false],
  [404, ['NOT_FOUND', 'UPSTREAM_REJECTED'], false],
  [408, ['TIMEOUT'], true],
  [413, ['UPSTREAM_REJECTED', 'TOO_LARGE'], false],
  [422, ['UPSTREAM_REJECTED'], false],
  [429, ['RATE_LIMITED'], true],
  [500, ['UPSTREAM_UNAVAILABLE'], true],
  [502, ['UPSTREAM_UNAVAILABLE'], true],
  [503, ['UPSTREAM_UNAVAILABLE'], true],
  [504, ['UPSTREAM_UNAVAILABLE', 'TIMEOUT'], true],
  [529, ['UPSTREAM_UNAVAILABLE'], true],
]

const BROKEN: readonly ErrorCode[] = ['UPSTREAM_UNAVAILABLE', 'UPSTREAM_TRUNCATED', 'UPSTREAM_INVALID']

/** Retry-After as sent, and the least and most that may be read from it. */
const DELAYS: readonly (readonly [sent: string, least: number, most: number])[] = [
  ['2', 2000, 2000],
  ['0', 0, 0],
  ['ms-1500', 1500, 1500],
  ['date-2', 0, 3000],
]

/** Calls that fail before they answer, whole and streamed. */
export const failureCases: readonly ModelCase[] = [
  onChat({
    id: 'model.invoke.rejects-error-status',
    promise: 'An error status of the upstream rejects with the code that stands for it, streamed or not.',
    async check(opened) {
      for (const [status, codes] of STATUSES) {
        await bothWays(opened, `status:${status}`, codes, `a call answered by ${status}`)
      }
    },
  }),
  onChat({
    id: 'model.invoke.says-whether-to-repeat',
    promise: 'A failure of the upstream is retryable, its refusal of the request is not.',
    async check(opened) {
      for (const [status, codes, retryable] of STATUSES) {
        opened.fixture.upstream.always(`status:${status}`)
        const error = await refuses(opened, codes, `a call answered by ${status}`)
        assert.equal(error.retryable, retryable, `${status} must ${retryable ? '' : 'not '}be retryable`)
      }
    },
  }),
  onChat({
    id: 'model.invoke.owns-a-refused-key',
    promise: 'A key that the upstream refuses is the provider’s, so never the caller’s UNAUTHENTICATED or FORBIDDEN.',
    async check(opened) {
      for (const status of [401, 403]) {
        const errors = await bothWays(opened, `status:${status}`, 'UPSTREAM_REJECTED', `a call answered by ${status}`)
        for (const { retryable } of errors) assert.equal(retryable, false, `${status} must not be retryable`)
      }
    },
  }),
  onChat({
    id: 'model.invoke.reads-retry-after',
    promise: 'RATE_LIMITED holds the delay that the upstream states, as seconds, milliseconds or an HTTP date.',
    async check(opened) {
      for (const [sent, least, most] of DELAYS) {
        for (const { retryAfterMs } of await bothWays(opened, `status:429,retry-after:${sent}`, 'RATE_LIMITED', 'a 429')) {
          const read = retryAfterMs ?? Number.NaN
          assert.ok(read >= least && read <= most, `a delay sent as ${sent} was read as ${retryAfterMs}`)
        }
      }
    },
  }),
  onChat({
    id: 'model.invoke.bears-a-bad-retry-after',
    promise: 'A delay that makes no sense is left out or made finite and >= 0, never handed on.',
    async check(opened) {
      for (const sent of ['soon', '-1', '999999999999999999999', 'ms-soon', '1,5', 'date--5000']) {
        opened.fixture.upstream.always([{ kind: 'status', status: 429, retryAfter: sent }])
        const { retryAfterMs } = await refuses(opened, 'RATE_LIMITED', 'a 429')
        assert.ok(
          retryAfterMs === undefined || (Number.isFinite(retryAfterMs) && retryAfterMs >= 0),
          `a delay sent as ${sent} was read as ${retryAfterMs}`,
        )
      }
    },
  }),
  onChat({
    id: 'model.invoke.rejects-what-is-no-answer',
    promise: 'Status 200 with a body that is no answer (broken JSON, a page, nothing) rejects UPSTREAM_INVALID.',
    async check(opened) {
      for (const fault of ['malformed:first', 'html', 'empty']) {
        opened.fixture.upstream.always(fault)
        const codes: readonly ErrorCode[] =
          fault === 'empty' ? ['UPSTREAM_INVALID', 'UPSTREAM_TRUNCATED'] : ['UPSTREAM_INVALID']
        await refuses(opened, codes, `a call answered by ${fault}`)
      }
    },
  }),
  onChat({
    id: 'model.invoke.rejects-error-in-200',
    promise: 'An error object with status 200 is an error.',
    async check(opened) {
      opened.fixture.upstream.always('error:first')
      await refuses(opened, ['UPSTREAM_UNAVAILABLE', 'UPSTREAM_INVALID', 'UPSTREAM_REJECTED'], 'an error with status 200')
    },
  }),
  onChat({
    id: 'model.invoke.rejects-half-a-body',
    promise: 'A whole reply that was cut rejects, whether the cut shows on the wire or not.',
    async check(opened) {
      for (const fault of ['reset:mid', 'end:mid', 'short', 'garbage:mid', 'end:first', 'reset:first']) {
        opened.fixture.upstream.always(fault)
        const error = await refuses(opened, BROKEN, `a call answered by ${fault}`)
        assert.equal(error.retryable, true, `${fault} must be retryable`)
      }
    },
  }),
  onChat({
    id: 'model.invoke.rejects-a-lost-connection',
    promise: 'A connection that is lost before headers rejects UPSTREAM_UNAVAILABLE, retryable.',
    async check(opened) {
      for (const fault of ['reset:headers', 'reset:accept', 'end:headers']) {
        for (const { retryable } of await bothWays(opened, fault, 'UPSTREAM_UNAVAILABLE', `a call answered by ${fault}`)) {
          assert.equal(retryable, true, `${fault} must be retryable`)
        }
      }
      await bothWays(opened, 'garbage:headers', BROKEN, 'a call answered by bytes that are not HTTP')
    },
  }),
  onChat({
    id: 'model.invoke.rejects-a-dead-upstream',
    promise: 'An upstream that refuses connections rejects UPSTREAM_UNAVAILABLE.',
    async check(opened) {
      await opened.fixture.upstream.close()
      await refuses(opened, 'UPSTREAM_UNAVAILABLE', 'a call to a closed port')
    },
  }),
  onChat({
    id: 'model.invoke.follows-no-redirect',
    promise: 'A redirect rejects: neither the key nor the body is carried to another origin.',
    async check(opened) {
      if (!opened.fixture.verbatim) return
      for (const status of [302, 307, 308]) {
        const { upstream } = opened.fixture
        upstream.clear()
        upstream.always(`redirect:other,status:${status}`)
        await refuses(opened, [...BROKEN, 'UPSTREAM_REJECTED'], `a call answered by ${status}`)
        assert.equal(upstream.requests.length, 1, `a ${status} must not be followed`)
      }
    },
  }),
  onChat({
    id: 'model.invoke.keeps-its-secrets',
    promise:
      'The provider’s key is in no error, neither in its message nor in its details or causes, even if the upstream repeats it.',
    async check(opened) {
      const { upstream, apiKey } = opened.fixture
      for (const fault of [
        'status:401,body:echo',
        'status:500,body:echo',
        'reset:headers',
        'reset:mid',
        'html',
        'garbage:headers',
      ]) {
        upstream.always(fault)
        const error = await refuses(opened, [...BROKEN, 'UPSTREAM_REJECTED'], `a call answered by ${fault}`)
        const shown = `${error.message}\n${error.stack}\n${inspect(error, { depth: 12, showHidden: true })}`
        assert.ok(!shown.includes(apiKey), `the error of ${fault} shows the provider's key`)
      }
    },
  }),
]

/** The errors of the call whole and, where streams are declared, streamed. */
async function bothWays(
  opened: OpenedModel,
  fault: string,
  codes: ErrorCode | readonly ErrorCode[],
  what: string,
): Promise<readonly SwitchyardError[]> {
  opened.fixture.upstream.always(fault)
  const ways: readonly Asking[] = opened.instance.capabilities.streaming ? [{}, { stream: true }] : [{}]
  const errors: SwitchyardError[] = []
  for (const way of ways) errors.push(await refuses(opened, codes, way.stream ? `${what}, streamed,` : what, way))
  return errors
}
