import type { ModelRequest } from '@switchyard/contract'
import { describe, expect, test } from 'vitest'
import { requestPayload } from '../src/index.ts'

const FORM = { 'content-type': 'multipart/form-data; boundary=x' }
const raw = Buffer.from('--x\r\nContent-Disposition: form-data; name="model"\r\n\r\na/m\r\n--x--\r\n')
const request: ModelRequest = { endpoint: 'audio/transcriptions', model: 'a/m', body: { model: 'a/m' }, stream: false }

describe('a form', () => {
  test('without its bytes is UNSUPPORTED: the file was in them', () => {
    expect(() => requestPayload({ ...request, headers: FORM }, { model: 'm' })).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED', message: expect.stringContaining('policy') }),
    )
  })

  test('that is not whole is INVALID_REQUEST', () => {
    expect(() => requestPayload({ ...request, headers: FORM, raw: raw.subarray(0, 50) }, { model: 'm' })).toThrow(
      expect.objectContaining({ code: 'INVALID_REQUEST' }),
    )
  })

  test('goes on with its boundary, its model changed', () => {
    const { bytes, contentType } = requestPayload({ ...request, headers: FORM, raw }, { model: 'm' })
    expect(contentType).toBe(FORM['content-type'])
    expect(Buffer.from(bytes).toString()).toBe(raw.toString().replace('a/m', 'm'))
  })
})

test.each<[string, Partial<ModelRequest>]>([
  ['a transcription told in JSON', { headers: { 'content-type': 'application/json' } }],
  ['one without headers', {}],
  ['a chat that calls itself a form', { endpoint: 'chat/completions', headers: FORM }],
])('%s is JSON', (_, more) => {
  const { bytes, contentType } = requestPayload({ ...request, raw: Buffer.from('{"model":"a/m" }'), ...more }, { model: 'm' })
  expect([Buffer.from(bytes).toString(), contentType]).toEqual(['{"model":"m" }', undefined])
})
