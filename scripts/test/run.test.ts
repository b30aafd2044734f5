import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { readCounts } from '../run/counts.ts'
import { parseTestOptions } from '../run/options.ts'
import { runStep } from '../run/steps.ts'

const ROOT = join(import.meta.dirname, '..', '..')

describe('options', () => {
  test('are read, lists also by commas', () => {
    expect(parseTestOptions([])).toEqual({ fast: false, required: [], packages: [] })
    expect(parseTestOptions(['--fast', '--require', 'postgres', '--package', 'kernel,egress', '--package', 'testkit'])).toEqual(
      {
        fast: true,
        required: ['postgres'],
        packages: ['kernel', 'egress', 'testkit'],
      },
    )
    expect(parseTestOptions(['-h'])).toBe('help')
  })

  test.each([[['--pakage', 'x']], [['--require', 'oracle']], [['kernel']]])('%j is refused', (args) => {
    expect(() => parseTestOptions(args)).toThrow(TypeError)
  })

  test('that are wrong end the run with 2, its usage, and nothing run', () => {
    const { status, stderr, stdout } = spawnSync(process.execPath, [join(ROOT, 'scripts', 'test.ts'), '--package', 'kernle'], {
      encoding: 'utf8',
    })
    expect([status, stdout]).toEqual([2, ''])
    expect(stderr).toContain('--package kernle: there is no packages/, plugins/ or apps/kernle')
    expect(stderr).toContain('usage: npm test')
  })
})

describe('a step', () => {
  const options = { cwd: ROOT, env: process.env }
  test('tells success from failure, also of a program that is not there', async () => {
    const said = vi.spyOn(console, 'log').mockImplementation(() => {})
    const written = vi.spyOn(process.stdout, 'write').mockImplementation(() => true)
    expect(await runStep('good', [process.execPath, '-e', ''], options)).toBe(true)
    expect(await runStep('bad', [process.execPath, '-e', 'process.exit(3)'], options)).toBe(false)
    expect(await runStep('none', ['no-such-program'], options)).toBe(false)
    expect(said.mock.calls.flat().join('\n')).toMatch(
      /── good: ok, .*── bad: FAILED \(code 3\), .*── none: FAILED \(code 127\), /s,
    )
    expect(written.mock.calls.flat().join('')).toContain('no-such-program: ')
    vi.restoreAllMocks()
  })
})

describe('counts', () => {
  let folder: string
  beforeAll(() => {
    mkdirSync(join(ROOT, '.switchyard'), { recursive: true })
    folder = mkdtempSync(join(ROOT, '.switchyard', 'counts-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  function count(files: Readonly<Record<string, string>>) {
    const own = mkdtempSync(join(folder, 'run-'))
    const report = join(own, 'counts.json')
    const config = `import { countReporter } from ${JSON.stringify(join(ROOT, 'scripts', 'run', 'counts.ts'))}
export default { test: { include: ['*.test.ts'], reporters: [countReporter(${JSON.stringify(report)})] } }\n`
    writeFileSync(join(own, 'vitest.config.ts'), config)
    for (const [name, text] of Object.entries(files))
      writeFileSync(join(own, name), `import { beforeAll, describe, test } from 'vitest'\n${text}`)
    const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs')
    const { status } = spawnSync(process.execPath, [vitest, 'run', '--root', own], { encoding: 'utf8' })
    return { status, counts: readCounts(report) }
  }

  test('hold every test, and why some were skipped', () => {
    const { status, counts } = count({
      'a.test.ts': `test('a', () => {})\ntest('b', (t) => t.skip('not run: oracle, because x, get it by y'))\ntest.skip('c', () => {})\ntest.todo('d')\n`,
      'b.test.ts': `test('e', (t) => t.skip('not run: oracle, because x, get it by y'))\ntest('f', () => { throw new Error('no') })\n`,
    })
    expect(status).toBe(1)
    expect(counts).toEqual({ passed: 1, failed: 1, skipped: 4, notes: { 'not run: oracle, because x, get it by y': 2 } })
  })

  test('hold what broke outside a test', () => {
    const { counts } = count({
      'import.test.ts': `import './no-such-file.ts'\ntest('a', () => {})\n`,
      'hook.test.ts': `describe('x', () => { beforeAll(() => { throw new Error('no') })\ntest('b', () => {}) })\n`,
      'stray.test.ts': `test('c', () => { setTimeout(() => { throw new Error('stray') }, 1); return new Promise((r) => setTimeout(r, 50)) })\n`,
    })
    expect(counts?.failed).toBe(3)
    expect(counts?.passed).toBe(1)
  })

  test('of a run that broke off are not there', () => {
    expect(readCounts(join(folder, 'none.json'))).toBeUndefined()
  })
})
