import { type ErrorCode, SwitchyardError } from '@switchyard/contract'
import { describe, expect, test } from 'vitest'
import { createSseDecoder, errorBody, errorEvent } from '../src/index.ts'

const message = 'what was wrong'
const said = { type: 'odd_error', param: 'x', code: 'odd' }
const rejected = (status: number, error?: object): SwitchyardError =>
  new SwitchyardError('UPSTREAM_REJECTED', message, { details: { status, error } })

describe.each<[ErrorCode, string, string, string]>([
  ['INVALID_REQUEST', 'invalid_request_error', 'invalid_request', 'invalid_request_error'],
  ['UNAUTHENTICATED', 'invalid_request_error', 'invalid_api_key', 'authentication_error'],
  ['FORBIDDEN', 'invalid_request_error', 'forbidden', 'permission_error'],
  ['NOT_FOUND', 'invalid_request_error', 'not_found', 'not_found_error'],
  ['TOO_LARGE', 'invalid_request_error', 'request_too_large', 'request_too_large'],
  ['UNSUPPORTED', 'invalid_request_error', 'unsupported', 'invalid_request_error'],
  ['RATE_LIMITED', 'rate_limit_error', 'rate_limit_exceeded', 'rate_limit_error'],
  ['BUDGET_EXCEEDED', 'insufficient_quota', 'insufficient_quota', 'billing_error'],
  ['OVERLOADED', 'server_error', 'overloaded', 'overloaded_error'],
  ['CIRCUIT_OPEN', 'server_error', 'circuit_open', 'overloaded_error'],
  ['TIMEOUT', 'server_error', 'timeout', 'timeout_error'],
  ['UPSTREAM_TRUNCATED', 'server_error', 'upstream_truncated', 'api_error'],
])('%s', (code, type, word, anthropicType) => {
  const error = new SwitchyardError(code, message)

  test.each(['chat/completions', 'responses', 'embeddings', 'audio/speech'] as const)('in the dialect of %s', (endpoint) => {
    expect(errorBody(endpoint, error)).toEqual({ error: { message, type, param: null, code: word } })
  })

  test('in the dialect of messages', () => {
    expect(errorBody('messages', error)).toEqual({ type: 'error', error: { type: anthropicType, message } })
  })
})

test('names the field and the code that the error tells', () => {
  const error = new SwitchyardError('NOT_FOUND', message, { details: { param: 'model', code: 'model_not_found' } })
  expect(errorBody('responses', error)).toMatchObject({ error: { param: 'model', code: 'model_not_found' } })
})

test.each([
  [400, 'invalid_request_error'],
  [404, 'not_found_error'],
  [413, 'request_too_large'],
  [422, 'invalid_request_error'],
])('an upstream that found fault with the request (%i) has its own words told', (status, type) => {
  expect(errorBody('completions', rejected(status, said))).toEqual({ error: { message, ...said } })
  expect(errorBody('completions', rejected(status))).toMatchObject({ error: { type: 'invalid_request_error', code: null } })
  expect(errorBody('messages', rejected(status, said))).toEqual({ type: 'error', error: { type, message } })
})

test('a thread that cannot be kept is told so that the SDK goes on without', () => {
  const refused = (param: string) => new SwitchyardError('UNSUPPORTED', 'no', { details: { param } })
  const details = { error_code: 'thread_unsupported_request', unsupported: ['thread'] }
  expect(errorBody('messages', refused('thread'))).toMatchObject({ error: { type: 'invalid_request_error', details } })
  expect(errorBody('messages', refused('top_k'))).not.toHaveProperty('error.details')
})

test('an upstream that found fault with our key has not', () => {
  expect(errorBody('completions', rejected(401, said))).toMatchObject({
    error: { type: 'server_error', code: 'upstream_rejected' },
  })
  expect(errorBody('messages', rejected(401, said))).toMatchObject({ error: { type: 'api_error' } })
})

test.each([new Error('secret'), 'secret', new SwitchyardError('INTERNAL', 'secret')])(
  'tells nothing of a fault of ours: %s',
  (thrown) => {
    for (const endpoint of ['messages', 'completions'] as const) {
      expect(JSON.stringify(errorBody(endpoint, thrown))).not.toContain('secret')
      expect(Buffer.from(errorEvent(endpoint, thrown)).toString()).not.toContain('secret')
    }
  },
)

test('as the last event of a stream, one event by the dialect', () => {
  const error = new SwitchyardError('TIMEOUT', `${message}\nand more`)
  const read = (endpoint: 'chat/completions' | 'messages' | 'responses'): unknown[] => {
    const events = createSseDecoder().push(errorEvent(endpoint, error, 7))
    return events.map(({ event, data }) => [event, JSON.parse(data)])
  }
  const words = { message: error.message, type: 'server_error', param: null, code: 'timeout' }
  expect(read('chat/completions')).toEqual([['message', { error: words }]])
  expect(read('messages')).toEqual([['error', { type: 'error', error: { type: 'timeout_error', message: error.message } }]])
  const flat = { type: 'error', code: 'timeout', message: error.message, param: null, sequence_number: 7 }
  expect(read('responses')).toEqual([['error', { ...flat, error: words }]])
})
