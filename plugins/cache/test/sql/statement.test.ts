import { describe, expect, test } from 'vitest'
import type { Dialect } from '../../src/sql/dialect.ts'
import { type Statement, statementOf } from '../../src/sql/statement.ts'

const DIALECTS: readonly Dialect[] = ['sqlite', 'postgres', 'mysql']
const none = { pure: new Set<string>(), harmless: new Set<string>() }
const look = (text: string, dialect: Dialect): Statement => statementOf(text, dialect, none)

const names = (statement: Statement): readonly string[] =>
  statement.kind === 'read' ? [...statement.names].sort() : expect.fail(`${statement.kind}: ${JSON.stringify(statement)}`)
const told = (statement: Statement): string =>
  statement.kind === 'read' ? 'read' : statement.kind === 'write' ? `write ${statement.table ?? 'any'}` : statement.reason

describe('a read names every table that it reads', () => {
  test.each([
    ['SELECT * FROM orders', ['orders']],
    ['select id, total from Orders where id = 1 -- now()\n', ['id', 'orders', 'total']],
    ['/* random() */ SELECT 1 FROM a', ['a']],
    ['SELECT * FROM a, b JOIN c USING (id) LEFT JOIN d ON d.x = a.x', ['a', 'b', 'c', 'd', 'id', 'x']],
    ['WITH t AS (SELECT * FROM orders) SELECT * FROM t', ['orders', 't']],
    [
      'SELECT (SELECT max(x) FROM deep) AS m FROM a WHERE EXISTS (SELECT 1 FROM b WHERE EXISTS (SELECT 1 FROM c))',
      ['a', 'b', 'c', 'deep', 'x'],
    ],
    ['SELECT a FROM b UNION ALL SELECT c FROM d', ['a', 'b', 'c', 'd']],
    ['(SELECT * FROM a)', ['a']],
    ['VALUES (1, 2)', []],
    ['SELECT * FROM shop.orders;', ['orders', 'shop']],
    ["SELECT 'x''y' FROM a", ['a']],
    ['SELECT count(*) , sum(total) OVER (PARTITION BY c ORDER BY d) FROM a', ['a', 'c', 'd', 'total']],
  ])('%s', (text, expected) => {
    for (const dialect of DIALECTS)
      expect(
        names(look(text, dialect)).filter((one) => !/^(left|all|over|by|union|with|partition)$/.test(one)),
        dialect,
      ).toEqual(expected)
  })

  test('however its name is written', () => {
    for (const dialect of DIALECTS) expect(names(look('SELECT * FROM "Or ""ders"', dialect)), dialect).toEqual(['or "ders'])
    expect(names(look('SELECT * FROM `orders` JOIN [lines]', 'sqlite'))).toEqual(['lines', 'orders'])
    expect(names(look("SELECT * FROM 'orders', 'lines'", 'sqlite'))).toEqual(['lines', 'orders'])
    expect(names(look("SELECT * FROM a WHERE x = 'paid'", 'sqlite'))).toEqual(['a', 'x'])
    // ONLY is no table, and what stands behind it no alias: a parser that takes it for one loses the table.
    expect(names(look('SELECT * FROM ONLY orders', 'postgres'))).toEqual(['orders'])
    expect(names(look('SELECT id::text AS orders FROM orders', 'postgres'))).toEqual(['id', 'orders'])
    // No word that some of the three let tables be called by is passed over.
    for (const word of ['values', 'key', 'text', 'format', 'count', 'name', 'temp', 'between', 'filter', 'row'])
      expect(names(look(`SELECT 1 FROM ${word}`, 'postgres')), word).toEqual([word])
    for (const word of ['replace', 'cast', 'left', 'offset', 'with', 'over', 'if'])
      expect(look(`SELECT 1 FROM ${word}`, 'sqlite'), word).toSatisfy(
        (one: Statement) => one.kind !== 'read' || one.names.has(word),
      )
  })
})

describe('what is not surely a read of tables alone is not kept', () => {
  const cases: [string, string, Dialect[]?][] = [
    ['SELECT now()', 'not-deterministic', ['postgres', 'mysql']],
    ['SELECT CURRENT_TIMESTAMP', 'not-deterministic'],
    ['SELECT current_date FROM a', 'not-deterministic'],
    ['SELECT random()', 'not-deterministic'],
    ["SELECT date('now')", 'not-deterministic', ['sqlite', 'postgres']],
    ["SELECT * FROM a WHERE day >= 'today'", 'not-deterministic'],
    ['SELECT user FROM a', 'not-deterministic', ['postgres']],
    ['SELECT u.user FROM u', 'read', ['postgres']],
    ['SELECT @x FROM a', 'not-deterministic', ['mysql']],
    ['SELECT @@session.sql_mode', 'not-deterministic', ['mysql']],
    ['SELECT last_insert_rowid()', 'not-deterministic', ['sqlite']],
    ['SELECT * FROM a FOR UPDATE', 'operation', ['postgres', 'mysql']],
    ['SELECT * FROM a FOR NO KEY UPDATE SKIP LOCKED', 'operation', ['postgres']],
    ['SELECT * FROM a LOCK IN SHARE MODE', 'operation', ['mysql']],
    ['SELECT * FROM sqlite_master', 'operation', ['sqlite']],
    ['SELECT * FROM pg_stat_activity', 'operation', ['postgres']],
    ['SELECT * FROM information_schema.tables', 'operation', ['postgres', 'mysql']],
    ['SELECT temp FROM readings', 'read'],
    ['SELECT * FROM temp.readings', 'operation', ['sqlite']],
    ['SHOW TABLES', 'operation'],
    ['EXPLAIN SELECT 1', 'operation'],
    ['EXPLAIN ANALYZE DELETE FROM a', 'write any'],
    ['SELECT * FROM a TABLESAMPLE SYSTEM (1)', 'not-deterministic', ['postgres']],
    [`SELECT ${Array.from({ length: 70 }, (_, at) => `c${at}`).join(', ')} FROM a`, 'tables-unknown'],
    // A function that is not known may change anything.
    ["SELECT nextval('s')", 'write any', ['postgres']],
    ['SELECT my_procedure(1)', 'write any', ['postgres', 'mysql']],
    ['SELECT mine.lower(x) FROM a', 'write any', ['postgres', 'mysql']],
    ['SELECT pg_catalog.lower(x) FROM a', 'read', ['postgres']],
    ['SELECT my_function(1)', 'not-deterministic', ['sqlite']],
    ['SELECT 1; DELETE FROM a', 'write any'],
    ['SELECT * INTO b FROM a', 'write any'],
    ['WITH d AS (DELETE FROM a RETURNING *) SELECT * FROM d', 'write any'],
    ['WITH d AS (SELECT 1) INSERT INTO a SELECT * FROM d', 'write any'],
    ['BEGIN', 'write any'],
    ['COMMIT', 'write any'],
    ['SET search_path = other', 'write any'],
    ['PRAGMA user_version = 1', 'write any'],
    ['CALL f()', 'write any'],
    ['DO $$ begin delete from a; end $$', 'write any', ['postgres']],
    ['MERGE INTO a USING b ON true WHEN MATCHED THEN DELETE', 'write any'],
    ['DROP TABLE a', 'write any'],
    ['TRUNCATE a', 'write any'],
    ['', 'write any'],
    ['"select" 1', 'write any'],
  ]
  test.each(cases)('%s: %s', (text, expected, dialects) => {
    for (const dialect of dialects ?? DIALECTS) expect(told(look(text, dialect)), dialect).toBe(expected)
  })

  test('a text that would take long to look at', () => {
    expect(told(look(`SELECT 1 -- ${'x'.repeat(140_000)}`, 'sqlite'))).toBe('write any')
  })

  test('functions that the operator knows', () => {
    const known = { pure: new Set(['distance']), harmless: new Set(['nextval']) }
    expect(told(statementOf('SELECT distance(x) FROM a', 'postgres', known))).toBe('read')
    expect(told(statementOf("SELECT nextval('s')", 'postgres', known))).toBe('not-deterministic')
  })
})

describe('texts that servers read otherwise than they look are taken for anything', () => {
  test.each<[string, Dialect, string]>([
    ['comments that MySQL runs', 'mysql', 'SELECT 1 /*! FROM orders */'],
    ['comments that MariaDB runs', 'mysql', 'SELECT 1 /*M! FROM orders */'],
    ['nested comments', 'postgres', 'SELECT 1 /* /* */ FROM orders -- */'],
    ['two minus signs without a space', 'mysql', 'SELECT 5--3 FROM orders'],
    ['a quote behind a backslash', 'mysql', "SELECT '\\' FROM orders -- '"],
    ['E-texts', 'postgres', "SELECT E'\\' FROM orders -- '"],
    ['U&-names', 'postgres', 'SELECT * FROM U&"\\006frders"'],
    ['dollar quotes', 'postgres', "SELECT $$'$$ FROM orders -- '"],
    ['a text without an end', 'sqlite', "SELECT ' FROM orders"],
    ['a comment without an end', 'sqlite', 'SELECT 1 /* FROM orders'],
    ['a carriage return in a comment', 'postgres', 'SELECT 1 -- x\r FROM orders'],
    ['a space that not everybody knows', 'postgres', 'SELECT 1 FROM\u00a0orders'],
    ['a character of zero', 'sqlite', 'SELECT 1\0 FROM orders'],
    ['a name that begins with digits', 'mysql', 'SELECT * FROM 2026_orders'],
    ['a hash', 'sqlite', 'SELECT 1 # FROM orders'],
    ['a quote behind a backslash that looks doubled', 'mysql', "SELECT '\\'' FROM orders -- '"],
    ['a quote of the other kind behind a backslash', 'mysql', 'SELECT "\\\' FROM orders -- "'],
  ])('%s', (_name, dialect, text) => expect(told(look(text, dialect))).toBe('write any'))

  test('a hash is an operator to PostgreSQL and a comment to MySQL', () => {
    expect(names(look('SELECT a # b FROM orders', 'postgres'))).toContain('orders')
    expect(names(look('SELECT a # b FROM orders\n FROM lines', 'mysql'))).toEqual(['a', 'lines'])
    expect(names(look("SELECT data #>> '{a,b}' FROM orders", 'postgres'))).toContain('orders')
  })

  test('backslashes that every mode reads alike are only characters', () => {
    expect(told(look("SELECT * FROM a WHERE x ~ '^\\d+$'", 'postgres'))).toBe('read')
    expect(told(look("SELECT * FROM a WHERE x REGEXP '\\\\d'", 'mysql'))).toBe('read')
    expect(told(look("SELECT '\\' FROM orders", 'sqlite'))).toBe('read')
  })
})

describe('a write names the table that it changes', () => {
  const cases: [string, string, Dialect[]?][] = [
    ['INSERT INTO orders (id, total) VALUES (1, 2)', 'write orders'],
    ['INSERT INTO shop.orders VALUES (1)', 'write orders'],
    ['INSERT INTO "Orders" ("id") SELECT id FROM lines', 'write orders'],
    ['INSERT INTO a VALUES (1) ON CONFLICT (id) DO UPDATE SET x = excluded.x RETURNING *', 'write a', ['sqlite', 'postgres']],
    ['INSERT INTO a VALUES (1) ON DUPLICATE KEY UPDATE x = VALUES(x)', 'write a', ['mysql']],
    ['INSERT OR REPLACE INTO a VALUES (1)', 'write a', ['sqlite']],
    ['INSERT IGNORE INTO a VALUES (1)', 'write a', ['mysql']],
    ['REPLACE INTO a VALUES (1)', 'write a', ['sqlite', 'mysql']],
    ['INSERT INTO a VALUES (now(), gen_random_uuid())', 'write a', ['postgres']],
    ['UPDATE orders SET total = 1 WHERE id = 2', 'write orders'],
    ['UPDATE orders AS o SET total = (SELECT max(x) FROM b)', 'write orders'],
    ['UPDATE OR IGNORE orders SET total = 1', 'write orders', ['sqlite']],
    ['UPDATE IGNORE orders SET total = 1', 'write orders', ['mysql']],
    ['UPDATE ONLY orders SET total = 1', 'write orders', ['postgres']],
    ['UPDATE orders SET total = 1 FROM lines WHERE true', 'write orders', ['sqlite', 'postgres']],
    ['DELETE FROM orders', 'write orders'],
    ['DELETE FROM orders USING lines WHERE orders.id = lines.id', 'write orders', ['postgres']],
    ['UPDATE orders, lines SET lines.x = 1', 'write any', ['mysql']],
    ['UPDATE orders JOIN lines USING (id) SET lines.x = 1', 'write any', ['mysql']],
    ['DELETE lines FROM orders JOIN lines USING (id)', 'write any', ['mysql']],
    ['DELETE FROM lines USING orders JOIN lines', 'write any', ['mysql']],
    ['INSERT a VALUES (1)', 'write any', ['mysql']],
    ['INSERT INTO a SELECT my_procedure()', 'write any', ['postgres', 'mysql']],
    ['INSERT INTO a WITH d AS (DELETE FROM b RETURNING *) SELECT * FROM d', 'write any'],
    ['INSERT INTO a VALUES (1); DELETE FROM b', 'write any'],
    ['INSERT INTO', 'write any'],
    ['UPDATE', 'write any'],
  ]
  test.each(cases)('%s: %s', (text, expected, dialects) => {
    for (const dialect of dialects ?? DIALECTS) expect(told(look(text, dialect)), dialect).toBe(expected)
  })
})
