import { describe, expect, test } from 'vitest'
import { metadataOf } from '../src/index.ts'

describe('metadata of a request', () => {
  test.each([
    ['none', {}, undefined, {}],
    ['null', { metadata: null }, undefined, {}],
    ['a list', { metadata: ['a'] }, undefined, {}],
    ['text', { metadata: 'team=a' }, undefined, {}],
    ['the body', { metadata: { team: 'a' } }, '{"team":"b"}', { team: 'a' }],
    ['the header, where the body has none', {}, '{"team":"b"}', { team: 'b' }],
    ['a header that is no JSON', {}, '{"team"', {}],
    ['a header that is no object', {}, '[1]', {}],
    ['a header that is too long', {}, JSON.stringify({ team: 'x'.repeat(9_000) }), {}],
  ])('%s', (_name, body, header, found) => {
    const headers = header === undefined ? {} : { headers: { 'x-portkey-metadata': header } }
    expect(metadataOf({ body, ...headers })).toEqual(found)
  })
})
