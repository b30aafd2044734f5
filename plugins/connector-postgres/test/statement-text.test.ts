import { describe, expect, test } from 'vitest'
import { changesSession, controlsTransaction, firstWord, isEmpty } from '../src/statement-text.ts'

test.each([
  ['SELECT 1', 'SELECT'],
  ['\n\t with x', 'WITH'],
  ['-- a\n/* b /* nested */ c */ Begin', 'BEGIN'],
  ['; ;/* a */; COPY x TO STDOUT', 'COPY'],
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
    '; COMMIT',
    ' ;-- a\n; rollback',
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

describe('changesSession', () => {
  test.each([
    "SET application_name = 'x'",
    'set session statement_timeout = 1',
    'SET local_preload_libraries = 1',
    'SET ROLE ada',
    "; SET TIME ZONE 'UTC'",
    'LISTEN a',
    'PREPARE a AS SELECT 1',
    'DEALLOCATE ALL',
    'DISCARD ALL',
    'DECLARE a CURSOR WITH HOLD FOR SELECT 1',
    'DO $$ BEGIN PERFORM 1; END $$',
    'CREATE TEMP TABLE a (b int)',
    'create or replace /* x */ temporary view a AS SELECT 1',
    'CREATE LOCAL TEMP SEQUENCE a',
    'CREATE TABLE pg_temp.a (b int)',
    'SELECT 1 AS b INTO TEMPORARY a',
    'SELECT 1 AS b INTO LOCAL TEMP a',
    "SELECT set_config('a.b', $1, false)",
    "SELECT set_config('a.b', $1, $2)",
    "SELECT set_config('a.b', 'x', true), SET_CONFIG ('a.c', 'x', false)",
    'SELECT pg_advisory_lock(1)',
    'SELECT pg_try_advisory_lock_shared(1, 2)',
    'WITH a AS (SELECT pg_advisory_lock_shared(1)) SELECT * FROM a',
  ])('%j', (text) => {
    expect(changesSession(text)).toBe(true)
  })

  test.each([
    'SELECT 1',
    'SET LOCAL statement_timeout = 0',
    'SET TRANSACTION READ ONLY',
    'SET CONSTRAINTS ALL DEFERRED',
    'RESET ALL',
    'UPDATE a SET b = 1',
    'INSERT INTO temples VALUES (1)',
    'CREATE TABLE temporary_things (a int)',
    'CREATE OR REPLACE FUNCTION a() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$',
    "SELECT set_config('a.b', $1, true)",
    'SELECT pg_advisory_xact_lock(1)',
    'SHOW search_path',
  ])('not %j', (text) => {
    expect(changesSession(text)).toBe(false)
  })
})

test('long comments take no time', () => {
  const began = performance.now()
  firstWord('/* '.repeat(100_000))
  firstWord(`${'-- \n'.repeat(100_000)}x`)
  expect(performance.now() - began).toBeLessThan(500)
})
