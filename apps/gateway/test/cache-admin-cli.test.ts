import { budget } from '@switchyard/budget'
import { sqlite } from '@switchyard/connector-sqlite'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ADMIN_KEY, type CachedGateway, cachedGateway, fakePrices } from './support/cached.ts'
import { type CliResult, cli } from './support/cli.ts'
import { stubLikeness } from './support/stub-likeness.ts'

let node: CachedGateway
beforeEach(async () => {
  node = await cachedGateway({ more: [sqlite({ path: ':memory:' }), fakePrices(), budget({})] })
})
afterEach(() => node.close())

const run = (line: string, env: NodeJS.ProcessEnv = { SWITCHYARD_ADMIN_KEY: ADMIN_KEY }): Promise<CliResult> =>
  cli(['cache', ...line.split(' '), '--url', node.url], process.cwd(), env)
const chat = async (text: string, headers?: Record<string, string>): Promise<string> =>
  (await node.ask('chat/completions', { model: 'chat/fake', messages: [{ role: 'user', content: text }] }, headers)).cache

describe('switchyard cache invalidate', () => {
  test.each([
    ['invalidate', /one of --tenant, --target and --everything/],
    ['invalidate --tenant acme --everything', /one of --tenant, --target and --everything/],
    ['invalidate --everything', /--everything: add --yes, or look first with --dry-run/],
    ['invalidate --everything --tag a --yes', /--tenant/],
    ['invalidate --target db --model x', /--tenant/],
    ['invalidate --tenant acme --table orders', /--target/],
  ])('%s is refused with what to do, and removes nothing', async (line, message) => {
    await chat('one')
    const { err, code } = await run(line)
    expect(code).toBe(1)
    expect(err).toMatch(message)
    expect(await chat('one')).toBe('hit l1')
  })

  test.each([
    ['--tenant acme', 'removed 2 stored replies', []],
    ['--tenant acme --tag doc:1', 'removed 1 stored reply', ['two']],
    ['--tenant acme --tag doc:1 --tag doc:2 --model none', 'removed 1 stored reply', ['two']],
    ['--tenant acme --model chat/fake', 'removed 2 stored replies', []],
    ['--target db --table orders', 'removed 0 stored replies', ['one', 'two']],
    ['--everything --yes', 'removed 2 stored replies', []],
    ['--everything --dry-run', 'would remove 2 stored replies', ['one', 'two']],
    ['--tenant acme --dry-run', 'would remove 2 stored replies', ['one', 'two']],
  ])('%s: %s', async (line, says, left) => {
    const tag = { 'x-switchyard-cache-tags': 'doc:1' }
    await chat('one', tag)
    await chat('two')
    const { out, code } = await run(`invalidate ${line}`)
    expect(code).toBe(0)
    expect(out).toBe(`${says}\n`)
    const hits = []
    for (const [text, headers] of [
      ['one', tag],
      ['two', undefined],
    ] as const)
      if ((await chat(text, headers)).startsWith('hit')) hits.push(text)
    expect(hits).toEqual(left)
  })

  test('with --json it is what the gateway said', async () => {
    const { out } = await run('invalidate --tenant acme --json')
    expect(JSON.parse(out)).toMatchObject({ object: 'cache_invalidation', count: 0, dry_run: false })
  })

  test('at a terminal it asks before everything goes, and takes nothing but yes', async () => {
    await chat('one')
    const answers = ['', 'no', 'y']
    vi.doMock('node:readline/promises', () => ({
      createInterface: () => ({
        async question(text: string) {
          asked.push(text)
          return answers.shift()
        },
        close() {},
      }),
    }))
    const asked: string[] = []
    const isTTY = Object.getOwnPropertyDescriptor(process.stdin, 'isTTY')
    Object.defineProperty(process.stdin, 'isTTY', { value: true, configurable: true })
    vi.resetModules()
    try {
      const { cacheInvalidate } = await import('../src/cli/cache/invalidate.ts')
      const printed = vi.spyOn(console, 'log').mockImplementation(() => {})
      vi.stubEnv('SWITCHYARD_ADMIN_KEY', ADMIN_KEY)
      const everything = { url: node.url, everything: true, json: false, dryRun: false, yes: false } as const
      for (const left of ['hit l1', 'hit l1', 'miss']) {
        await cacheInvalidate(everything)
        expect(await chat('one')).toBe(left)
      }
      expect(asked).toEqual(Array(3).fill('remove 1 stored reply, of all tenants? [y/N] '))
      expect(printed.mock.calls.flat()).toEqual(['nothing was removed', 'nothing was removed', 'removed 1 stored reply'])
      printed.mockRestore()
    } finally {
      vi.unstubAllEnvs()
      vi.doUnmock('node:readline/promises')
      if (isTTY === undefined) delete (process.stdin as { isTTY?: boolean }).isTTY
      else Object.defineProperty(process.stdin, 'isTTY', isTTY)
    }
  })
})

describe('switchyard cache report', () => {
  test('sets hits beside what repeats allow, and tells money and store', async () => {
    await chat('one')
    await chat('one')
    await node.ask('chat/completions', { model: 'chat/fake', n: 2, messages: [{ role: 'user', content: 'x' }] })
    const { out, code } = await run('report')
    expect(code).toBe(0)
    expect(out).toMatch(/OPERATION +REQUESTS +HITS +REPEATS +L1 +L2 +L3 +STALE +COALESCED +MISSES +BYPASSED/)
    expect(out).toMatch(/model\.invoke +3 +33\.33 +33\.33 +33\.33 +0\.00 +0\.00 +0\.00 +0\.00 +1 +1 \(many-answers 1\)/)
    expect(out).toMatch(/no plugin answers by likeness/)
    expect(out).toMatch(/store: there; 0 look-ups and 0 writes failed; 1 replies near by/)
    expect(out).toMatch(
      /1 hits saved 0\.000044; the cache's own calls cost refresh 0, audit 0, judge 0, embedding 0\n +net 0\.000044\n/,
    )
    const { out: json } = await run('report --json --from 2020-01-01 --to 2020-02-01')
    expect(JSON.parse(json)).toMatchObject({ object: 'cache_report', money: { hits: 0 } })
  })

  test('never tells hits by likeness without their error, its interval and the ceiling; no name moves the cursor', async () => {
    await node.close()
    node = await cachedGateway({ more: [stubLikeness().plugin] })
    const { out } = await run('report')
    expect(out).toMatch(
      /acme\|all \[2J +1\.00 +from 0\.912 +200 +25\.00 +50\.00 +0\.63 \(0\.10 to 3\.00\) +2\.50 \(0\.44 to 12\.88\) +40 \(1 failed\) +120 \(3 dropped\)/,
    )
    expect(out).not.toContain('\u001b')
    expect(out).toMatch(/money: no plugin of the assembly keeps books/)
  })

  test.each([
    ['report --from soon', {}, /from: write/],
    ['report', { SWITCHYARD_ADMIN_KEY: 'sk-of-ann' }, /answered 403/],
  ])('%s is refused', async (line, env, message) => {
    const { err, code } = await run(line, { SWITCHYARD_ADMIN_KEY: ADMIN_KEY, ...env })
    expect(code).toBe(1)
    expect(err).toMatch(message)
  })
})
