import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cli } from '../src/cli/cli.ts'
import { cacheSuite, suites } from '../src/index.ts'

const fixture = (name: string): string => fileURLToPath(new URL(`./fixtures/${name}.ts`, import.meta.url))
const CACHE = ['--port', 'cache']

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const printed = { out: '', err: '' }
  const code = await cli(args, {
    out(line) {
      printed.out += `${line}\n`
    },
    err(line) {
      printed.err += `${line}\n`
    },
  })
  return { code, ...printed }
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'testkit-'))
})
afterAll(() => rm(folder, { recursive: true }))

describe('a wrong call ends with 2 and says what to do', () => {
  test.each<[string, string[], RegExp]>([
    ['an unknown command', ['examine'], /no command "examine"; use run, list or --help/],
    ['an unknown flag', ['run', '--prot', 'cache'], /--prot.*See --help/s],
    ['a flag of another command', ['list', '--mutants'], /list takes no --mutants; it takes --json, --port/],
    ['no module', ['run', ...CACHE], /run needs the plugin/],
    ['no port', ['run', fixture('map-cache')], /run needs the port/],
    ['too many arguments', ['run', 'a', 'b', ...CACHE], /no further argument, but got "b"/],
    ['an argument to list', ['list', 'cache'], /no further argument/],
    [
      'an unknown port',
      ['run', fixture('map-cache'), '--port', 'fax'],
      /no suite for port fax; there are access, bus, cache, counters, embedder, /,
    ],
    ['a wrong clock', ['run', 'x', ...CACHE, '--clock', 'sun'], /--clock is virtual or system/],
    ['options that are no JSON', ['run', 'x', ...CACHE, '--options', '{a}'], /--options is no JSON/],
    ['options that are no object', ['run', 'x', ...CACHE, '--options', '[1]'], /must be a JSON object/],
    ['a file of options that is not there', ['run', 'x', ...CACHE, '--options', '@none.json'], /cannot be read/],
    ['an unknown case', ['run', fixture('map-cache'), ...CACHE, '--only', 'cache.fly'], /no case of cache is named cache.fly/],
    ['mutants of a part', ['run', 'x', ...CACHE, '--only', 'cache.set', '--mutants'], /leave --only out/],
    ['a file that is not there', ['run', './none.js', ...CACHE], /there is no file .\/none.js; build the plugin first/],
    ['a package that is not there', ['run', '@acme/none', ...CACHE], /neither a file nor a package installed here/],
    ['a module that breaks', ['run', fixture('broken'), ...CACHE], /cannot be imported: broken at load/],
    [
      'a port that nothing provides',
      ['run', fixture('map-cache'), '--port', 'sql'],
      /no plugin that provides sql@1; plugins in it: mapCache \(provides cache@1\)/,
    ],
    [
      'a module without plugins',
      ['run', fixture('map-cache'), ...CACHE, '--export', 'none'],
      /exports no function none; it exports .*mapCache/,
    ],
    [
      'an export that makes no plugin',
      ['run', fixture('several'), ...CACHE, '--export', 'notAPlugin'],
      /notAPlugin .* gave no plugin/,
    ],
    [
      'an export without the port',
      ['run', fixture('map-cache'), '--port', 'sql', '--export', 'mapCache'],
      /does not provide sql@1/,
    ],
    ['several plugins', ['run', fixture('several'), ...CACHE], /several plugins.*mapCache, otherCache; pick one with --export/],
    ['a wrong option', ['run', fixture('map-cache'), ...CACHE, '--options', '{"size": 3}'], /CONFIG_INVALID.*size/],
    ['a plugin that needs another', ['run', fixture('needy'), ...CACHE, '--export', 'needy'], /DEPENDENCY_MISSING.*counters@1/],
    [
      'a fixture for another port',
      ['run', fixture('map-cache'), ...CACHE, '--fixture', '{"model": "m"}'],
      /--fixture is for port model/,
    ],
  ])('%s', async (_, args, message) => {
    const { code, out, err } = await run(...args)
    expect(err).toMatch(message)
    expect([code, out]).toEqual([2, ''])
  })
})

test('a plugin that does not start ends with 1', async () => {
  const { code, err } = await run('run', fixture('needy'), ...CACHE, '--export', 'failing')
  expect(err).toMatch(/did not start \(STARTUP_FAILED\): .*port taken/)
  expect(code).toBe(1)
})

describe('run', () => {
  test('prints a line a case, writes the report, and ends with 0', async () => {
    const file = join(folder, 'report.json')
    const { code, out } = await run('run', fixture('map-cache'), ...CACHE, '--report', file)
    expect(out).toMatch(/^ {2}ok {4}cache\.get\.unknown-key-undefined \d+ ms$/m)
    expect(out).toMatch(/^ {2}ok {4}cache\.deleteByTag\.spares-later \(not declared\)/m)
    expect(out).toContain(`${cacheSuite.cases.length} passed, 0 failed`)
    expect(code).toBe(0)
    const report = JSON.parse(await readFile(file, 'utf8'))
    expect(report).toMatchObject({ port: { id: 'cache', version: 1 }, capabilities: { tags: false }, failed: 0 })
    expect(report.cases.map(({ id }: { id: string }) => id)).toEqual(cacheSuite.cases.map(({ id }) => id))
  })

  test('ends with 1 where a case fails, with what was wrong, and judges no mutants then', async () => {
    await writeFile(join(folder, 'options.json'), '{"flaw": "aliases"}')
    const options = ['--options', `@${join(folder, 'options.json')}`]
    const { code, out } = await run('run', fixture('map-cache'), ...CACHE, ...options, '--mutants')
    expect(out).toMatch(/^ {2}FAIL {2}cache\.set\.copies-input\n {8}a changed array/m)
    expect(out).toContain('mutants are not judged')
    expect(code).toBe(1)
  })

  test('takes the export named, cases by their beginning, and the clock asked for', async () => {
    const picked = ['--export', 'otherCache', '--only', 'cache.delete', '--clock', 'virtual']
    const { code, out } = await run('run', fixture('several'), ...CACHE, ...picked)
    expect(out).toMatch(/^(?: {2}ok {4}cache\.delete\..*\n)+\d passed, 0 failed\n$/)
    expect(code).toBe(0)
  })

  test('judges mutants on request, and reports them', async () => {
    const file = join(folder, 'mutants.json')
    const { code, out } = await run('run', fixture('map-cache'), ...CACHE, '--mutants', '--report', file)
    expect(out).toMatch(/^ {2}killed {2}keeps-caller-buffer \(cache\.set\.copies-input\)$/m)
    expect(out).toMatch(/^ {2}NOT-JUDGED {2}deletes-a-tag-once/m)
    expect(code).toBe(0)
    expect(JSON.parse(await readFile(file, 'utf8')).mutants).toMatchObject({ problems: [] })
  })
})

describe('run for port model', () => {
  const options = ['--options', '{"upstream": {"urls": ["$UPSTREAM_URL"]}, "apiKey": "$UPSTREAM_KEY"}']
  const probe = ['--port', 'model', ...options, '--only', 'model.probe.resolves']

  test('starts the fake upstream and puts its URL and key into the options', async () => {
    const { code, out, err } = await run('run', fixture('provider'), ...probe)
    expect([err, out.trim().split('\n').at(-1), code]).toEqual(['', '1 passed, 0 failed', 0])
  })

  test('takes names for the fixture, and refuses those it does not know', async () => {
    const named = await run('run', fixture('provider'), ...probe, '--fixture', '{"model": "fake/gpt-fake", "verbatim": false}')
    expect(named.code).toBe(0)
    const unknown = await run('run', fixture('provider'), ...probe, '--fixture', '{"modle": "m"}')
    expect([unknown.code, unknown.err]).toEqual([2, expect.stringMatching(/--fixture knows no modle; it knows model, /)])
    const wrong = await run('run', fixture('provider'), ...probe, '--fixture', '{"model": 5}')
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringMatching(/model in --fixture must be a string/)])
  })
})

describe('list and help', () => {
  test('list names every port and case', async () => {
    const { code, out } = await run('list')
    for (const { port, cases } of suites) {
      expect(out).toContain(`${port.id}@${port.version}: ${cases.length} cases`)
      for (const { id, promise } of cases) expect(out).toContain(`  ${id}: ${promise}`)
    }
    expect(code).toBe(0)
  })

  test('list of one port, as JSON', async () => {
    const { out } = await run('list', '--port', 'cache', '--json')
    const [only, ...others] = JSON.parse(out)
    expect(others).toEqual([])
    expect(only.port).toEqual({ id: 'cache', version: 1 })
    expect(only.cases).toHaveLength(cacheSuite.cases.length)
    expect(only.cases.find(({ id }: { id: string }) => id === 'cache.get.tells-tags')).toMatchObject({ conditional: true })
    expect((await run('list', '--port', 'fax')).code).toBe(2)
  })

  test.each([[[]], [['--help']], [['run', '-h']], [['help']]])('%j prints the help', async (args) => {
    const { code, out } = await run(...args)
    expect(out).toContain('testkit run MODULE --port PORT')
    expect(code).toBe(0)
  })
})

describe('the command itself', () => {
  const main = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url))
  const node = (...args: string[]): Promise<{ stdout: string }> =>
    promisify(execFile)(process.execPath, ['--conditions=@switchyard/source', main, ...args])

  test.each<[string, string[], object]>([
    [
      'a failing case',
      ['--only', 'cache.set.copies-input', '--options', '{"flaw": "aliases"}'],
      { code: 1, stdout: expect.stringContaining('0 passed, 1 failed') },
    ],
    ['a wrong call', ['--fly'], { code: 2, stderr: expect.stringContaining('--fly') }],
    [
      'a rejection that nobody handled',
      ['--only', 'cache.get.unknown-key-undefined', '--options', '{"flaw": "stray"}'],
      {
        code: 1,
        stdout: expect.stringContaining('1 passed'),
        stderr: expect.stringContaining('STRAY unhandled rejection: Error: left alone'),
      },
    ],
  ])('fails for %s', async (_, args, failure) => {
    await expect(node('run', fixture('map-cache'), ...CACHE, ...args)).rejects.toMatchObject(failure)
  })

  test('ends with 0 where all passed', async () => {
    const { stdout } = await node('run', fixture('map-cache'), ...CACHE, '--only', 'cache.delete')
    expect(stdout).toMatch(/\d+ passed, 0 failed/)
  })
})
