import { describe, expect, test } from 'vitest'
import { controlsTransaction, firstWord, isEmpty } from '../src/statement-text.ts'

test.each([
  ['SELECT 1', 'SELECT'],
  ['\n\t with x', 'WITH'],
  ['-- a\n/* b /* nested */ c */ Begin', 'BEGIN'],
  ['(SELECT 1)', ''],
  ['/* never closed /* */ BEGIN', ''],
  ['', ''],
])('the first word of %j is %j', (text, word) => {
  expect(firstWord(text)).toBe(word)
})

test.each([
  ['', true],
  [' \n;; ', true],
  ['-- a', true],
  ['/* a */ ; -- b', true],
  ['SELECT 1', false],
  ['; SELECT 1', false],
])('%j holds no statement: %s', (text, empty) => {
  expect(isEmpty(text)).toBe(empty)
})

describe('controlsTransaction', () => {
  test.each([
    'BEGIN',
    'begin isolation level serializable',
    'START TRANSACTION',
    'COMMIT',
    'commit and chain',
    'COMMIT PREPARED $1',
    'END',
    'ABORT',
    'ROLLBACK',
    'rollback work',
    'ROLLBACK PREPARED $1',
    "PREPARE TRANSACTION 'a'",
    '/* a */ ROLLBACK;',
  ])('%j', (text) => {
    expect(controlsTransaction(text)).toBe(true)
  })

  test.each([
    'SAVEPOINT a',
    'RELEASE SAVEPOINT a',
    'ROLLBACK TO a',
    'rollback transaction /* x */ to savepoint a',
    'PREPARE a AS SELECT 1',
    'SELECT 1',
  ])('not %j', (text) => {
    expect(controlsTransaction(text)).toBe(false)
  })
})

test('long comments take no time', () => {
  const began = performance.now()
  firstWord('/* '.repeat(100_000))
  firstWord(`${'-- \n'.repeat(100_000)}x`)
  expect(performance.now() - began).toBeLessThan(500)
})
