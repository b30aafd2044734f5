import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { postgresOptions } from '../src/index.ts'

const { shape } = postgresOptions as unknown as z.ZodObject
const tls = (shape.tls as z.ZodOptional<z.ZodObject>).unwrap().shape
const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const section = readme.slice(readme.indexOf('\n## Options'), readme.indexOf('\n### TLS'))

/** Rows of the README's table of options: name, and the default as it is written there. */
const rows = new Map(
  [...section.matchAll(/^\| `([a-zA-Z.]+)`\s*\| (.*?)\s*\|/gm)].map(([, name, standard]) => [
    name as string,
    standard as string,
  ]),
)

const known = [...Object.keys(shape).filter((name) => name !== 'tls'), ...Object.keys(tls).map((name) => `tls.${name}`)]

describe('the README’s table of options', () => {
  test('has every option there is, and no other', () => {
    expect([...rows.keys()].toSorted()).toEqual(known.toSorted())
  })

  const defaults = postgresOptions.parse({ user: 'ada' })
  const written = Object.entries(defaults).filter(([, value]) => !Array.isArray(value) && value !== 'ada')
  test.each(written)('has the default of %s', (name, value) => {
    expect(rows.get(name)).toBe(`\`${value}\``)
  })
})

test('every option is described', () => {
  for (const [name, schema] of [...Object.entries(shape), ...Object.entries(tls)]) {
    expect((schema as z.ZodType).description, name).toMatch(/\S/)
  }
})

describe('the schema', () => {
  test.each<[string, object]>([
    ['an unknown option', { poolsize: 1 }],
    ['an unknown part of tls', { tls: { rejectUnauthorized: false } }],
    ['an empty user', { user: '' }],
    ['a port beyond the last', { port: 65_536 }],
    ['a fraction of a connection', { poolMax: 1.5 }],
    ['a pool of none', { poolMax: 0 }],
    ['a time without end', { statementTimeoutMs: Number.POSITIVE_INFINITY }],
    ['a time of none', { acquireTimeoutMs: 0 }],
    ['a schema name that says more', { searchPath: ['a; DROP TABLE t'] }],
    ['a password that is none', { password: 7 }],
    ['an unknown mode', { tls: { mode: 'prefer' } }],
    ['a name longer than the server keeps', { applicationName: 'x'.repeat(64) }],
  ])('refuses %s', (_name, options) => {
    expect(postgresOptions.safeParse({ user: 'ada', ...options }).success).toBe(false)
  })

  test('makes secrets of what is secret', () => {
    const options = postgresOptions.parse({ url: 'canary', password: 'canary', tls: { key: 'canary' } })
    expect(JSON.stringify(options)).not.toContain('canary')
  })
})
