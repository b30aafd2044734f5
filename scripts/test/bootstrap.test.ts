import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const SCRIPT = join(import.meta.dirname, '..', 'bootstrap.mjs')
const REPO_NODE = 'node_modules/node/bin/node'

let root: string
let programs: string

function put(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}

/** A program on the PATH of what is started. */
function program(name: string, script: string): void {
  writeFileSync(join(programs, name), `#!/bin/sh\n${script}\n`)
  chmodSync(join(programs, name), 0o755)
}

/** An npx that notes its arguments and puts a Node into place that says it is the repo's. */
const INSTALLS = `echo "$@" >> installs.log
echo fetching
mkdir -p node_modules/node/bin
printf '#!/bin/sh\\nWHICH=repo exec "${process.execPath}" "$@"\\n' > ${REPO_NODE}
chmod +x ${REPO_NODE}`

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'switchyard-bootstrap-'))
  programs = join(root, 'bin')
  mkdirSync(programs)
  put('package.json', '{ "packageManager": "pnpm@9.8.7" }')
  put('pnpm-lock.yaml', 'a: 1\n')
  put('pnpm-workspace.yaml', 'packages: []\n')
  put('apps/gateway/package.json', '{}')
  put(
    'apps/gateway/src/cli/main.ts',
    `console.log(JSON.stringify({ which: process.env.WHICH, args: process.argv.slice(2) }))\n`,
  )
  mkdirSync(join(root, 'scripts'))
  cpSync(SCRIPT, join(root, 'scripts', 'bootstrap.mjs'))
  program('npx', INSTALLS)
})

afterEach(() => rmSync(root, { recursive: true, force: true }))

function start(args: readonly string[], env: Record<string, string> = {}): ChildProcess {
  const path = [programs, '/usr/bin', '/bin'].join(':')
  return spawn(process.execPath, [join(root, 'scripts', 'bootstrap.mjs'), ...args], { env: { PATH: path, ...env } })
}

async function run(args: readonly string[], env?: Record<string, string>) {
  const child = start(args, env)
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr?.on('data', (chunk) => {
    stderr += chunk
  })
  const [code] = (await once(child, 'close')) as [number]
  return { code, stdout, stderr }
}

const installs = (): number =>
  existsSync(join(root, 'installs.log')) ? readFileSync(join(root, 'installs.log'), 'utf8').split('\n').length - 1 : 0

describe('installing', () => {
  test('is done before the first run, from the lockfile, with progress on stderr only', async () => {
    const { code, stdout, stderr } = await run(['start', '--port', '9000'])
    expect(stdout).toBe('{"which":"repo","args":["start","--port","9000"]}\n')
    expect(code).toBe(0)
    expect(stderr).toContain('installing with pnpm@9.8.7')
    expect(stderr).toContain('fetching')
    expect(readFileSync(join(root, 'installs.log'), 'utf8')).toMatch(/^-y pnpm@9\.8\.7 install --frozen-lockfile /)
  })

  test('is not done again, and then not a word is said', async () => {
    await run(['start'])
    const { stderr, stdout } = await run(['start'])
    expect(stderr).toBe('')
    expect(stdout).toContain('"which":"repo"')
    expect(installs()).toBe(1)
  })

  test.each([
    ['the lockfile', () => put('pnpm-lock.yaml', 'a: 2\n')],
    ['the workspace', () => put('pnpm-workspace.yaml', 'packages: [x]\n')],
    ["an app's manifest", () => put('apps/gateway/package.json', '{ "x": 1 }')],
    ['a package that is new', () => put('packages/new/package.json', '{}')],
    ["the repo's Node, which is gone,", () => rmSync(join(root, REPO_NODE))],
  ])('is done again after a change of %s', async (_name, change) => {
    await run(['start'])
    change()
    await run(['start'])
    expect(installs()).toBe(2)
  })

  test('that fails is said with its mend, keeps the job from starting, and is tried again', async () => {
    program('npx', 'echo "ERR getaddrinfo ENOTFOUND registry.example" >&2; exit 3')
    const { code, stdout, stderr } = await run(['start'])
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain('could not install: the package registry could not be reached; mend: ')
    program('npx', 'echo ERR_PNPM_OUTDATED_LOCKFILE; exit 1')
    expect((await run(['start'])).stderr).toContain('pnpm-lock.yaml does not fit')
    program('npx', 'exit 7')
    expect((await run(['start'])).stderr).toContain('ended with code 7')
    program('npx', INSTALLS)
    expect((await run(['start'])).code).toBe(0)
  })

  test('needs npx', async () => {
    rmSync(join(programs, 'npx'))
    const child = await run(['start'], { PATH: programs })
    expect(child.code).toBe(1)
    expect(child.stderr).toContain('npx was not found; mend: install npm')
  })
})

test('a job that is not known is refused before anything is installed', async () => {
  const { code, stderr } = await run(['strat'])
  expect(code).toBe(1)
  expect(stderr).toContain('unknown job "strat"; mend: npm start or npm test')
  expect(installs()).toBe(0)
})

test('SWITCHYARD_NODE=system runs the job on the Node that runs the script', async () => {
  const { stdout } = await run(['start'], { SWITCHYARD_NODE: 'system' })
  expect(JSON.parse(stdout)).toEqual({ args: ['start'] })
})

describe('the job', () => {
  test('passes its exit code on', async () => {
    put('apps/gateway/src/cli/main.ts', 'process.exitCode = 42\n')
    expect((await run(['start'])).code).toBe(42)
  })

  test('that dies of a signal ends with 128 and its number', async () => {
    put('apps/gateway/src/cli/main.ts', `process.kill(process.pid, 'SIGKILL')\n`)
    expect((await run(['start'])).code).toBe(137)
  })

  test.each(['SIGTERM', 'SIGINT'] as const)(
    'gets %s once, though two come at once, and has its time to end',
    async (signal) => {
      put(
        'apps/gateway/src/cli/main.ts',
        `let count = 0
process.on('${signal}', () => {
  if (++count === 1) setTimeout(() => { console.log('signals', count); process.exit(5) }, 100)
})
setInterval(() => {}, 1000)
console.log('ready')
`,
      )
      const child = start(['start'])
      let stdout = ''
      child.stdout?.on('data', (chunk) => {
        stdout += chunk
        if (stdout === 'ready\n') {
          child.kill(signal)
          setTimeout(() => child.kill(signal), 30)
        }
      })
      const [code] = await once(child, 'close')
      expect([code, stdout]).toEqual([5, 'ready\nsignals 1\n'])
    },
  )
})
