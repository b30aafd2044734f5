import { describe, expect, test } from 'vitest'
import { changesRows, controlsTransaction, firstWord, isRead, isTrivia } from '../src/statement-text.ts'

test.each([
  ['SELECT 1', 'SELECT'],
  ['  select 1', 'SELECT'],
  ['-- a\n/* b */ With x', 'WITH'],
  ['(SELECT 1)', ''],
  ['', ''],
  ['-- only', ''],
  ['/* open', ''],
  ['; ;SELECT 1', 'SELECT'],
  ['\uFEFFSELECT 1', 'SELECT'],
  ['/* a */ ;\uFEFF-- b\n insert', 'INSERT'],
])('the first word of %j is %j', (text, word) => {
  expect(firstWord(text)).toBe(word)
})

test.each([
  ['', true],
  [' ;\n; ', true],
  ['-- end', true],
  ['/* a; b */ -- c\n;', true],
  ['/* never closed', true],
  [' x', false],
  ['; SELECT 2', false],
  ['/* a */ SELECT 2', false],
  ['/* a */ SELECT 2 /* b */', false],
  ['-- a\n-- b', true],
  ['\0', false],
])('%j after a statement is nothing: %s', (text, trivia) => {
  expect(isTrivia(text)).toBe(trivia)
})

test('a long tail of openings is read once: read again at each, it would not end in time', () => {
  expect(isTrivia(`${' -'.repeat(1_000_000)}x`)).toBe(false)
  expect(isTrivia(`${'/* '.repeat(1_000_000)}x`)).toBe(true)
  expect(isTrivia(`${';-- '.repeat(1_000_000)}\nx`)).toBe(false)
})

test.each([
  ['SELECT 1', true],
  ['VALUES (1)', true],
  ['WITH a AS (SELECT 1) SELECT * FROM a', true],
  ['WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a', false],
  ["WITH a AS (SELECT 'delete') SELECT * FROM a", false],
  ['INSERT INTO t VALUES (1) RETURNING a', false],
  ['PRAGMA user_version', false],
  ['BEGIN', false],
])('%j can only read: %s', (text, read) => {
  expect(isRead(text)).toBe(read)
})

test.each([
  ['INSERT INTO t VALUES (1)', true],
  ['REPLACE INTO t VALUES (1)', true],
  ['with a as (select 1) delete from t', true],
  ['CREATE TABLE t(a)', false],
  ['PRAGMA user_version = 1', false],
])('%j changes rows: %s', (text, changes) => {
  expect(changesRows(text)).toBe(changes)
})

describe('controlsTransaction', () => {
  test.each([
    'BEGIN',
    'begin immediate',
    'COMMIT',
    'END',
    'ROLLBACK',
    'rollback transaction',
    '/* a */ ROLLBACK;',
    '; COMMIT',
    '\uFEFFCOMMIT',
  ])('%j', (text) => {
    expect(controlsTransaction(text)).toBe(true)
  })

  test.each([
    'SAVEPOINT a',
    'RELEASE a',
    'ROLLBACK TO a',
    'rollback transaction to savepoint a',
    '-- x\nROLLBACK TO a',
    'SELECT 1',
  ])('not %j', (text) => {
    expect(controlsTransaction(text)).toBe(false)
  })
})
