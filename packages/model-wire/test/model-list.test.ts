import { expect, test } from 'vitest'
import { readModelList } from '../src/index.ts'

test('ids get their prefix; what is no model is left out', () => {
  const body = '{"data":[{"id":"a","owned_by":"x","created":5},{"id":"b"},{"id":7},null]}'
  expect(readModelList(Buffer.from(body), 'p/', 'plugin')).toEqual([
    { id: 'p/a', ownedBy: 'x', createdAt: 5 },
    { id: 'p/b', ownedBy: 'p' },
  ])
})

test.each(['<html>', '{}', 'null', '[]', '{"data":{}}'])('%s is no list', (body) => {
  expect(() => readModelList(Buffer.from(body), 'p/', 'plugin')).toThrow(expect.objectContaining({ code: 'UPSTREAM_INVALID' }))
})
