// Runs on whatever Node starts it (18 or later) with no dependency: it installs what the repo needs, then hands over to the
// repo's own Node. `node scripts/bootstrap.mjs start [args]` and `... test [args]` are `npm start` and `npm test`.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const MODULES = join(ROOT, 'node_modules')
const STAMP = join(MODULES, '.switchyard-installed')
const WINDOWS = process.platform === 'win32'
const REPO_NODE = join(MODULES, 'node', 'bin', WINDOWS ? 'node.exe' : 'node')
const OLDEST_INSTALLER = [20, 0]
const OLDEST_RUNTIME = [22, 19]

const JOBS = {
  start: ['--conditions=@switchyard/source', 'apps/gateway/src/cli/main.ts', 'start'],
  test: ['--conditions=@switchyard/source', 'scripts/test.ts'],
}

const NETWORK = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT|META_FETCH_FAIL/

function say(text) {
  process.stderr.write(`switchyard: ${text}\n`)
}

function fail(wrong, mend) {
  say(`${wrong}; ${mend}`)
  process.exit(1)
}

function atLeast(version, [major, minor]) {
  const [haveMajor = 0, haveMinor = 0] = version.replace(/^v/, '').split('.').map(Number)
  return haveMajor > major || (haveMajor === major && haveMinor >= minor)
}

function manifests() {
  const found = ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml']
  for (const folder of ['packages', 'plugins', 'apps']) {
    if (!existsSync(join(ROOT, folder))) continue
    for (const name of readdirSync(join(ROOT, folder)).sort()) {
      const path = join(folder, name, 'package.json')
      if (existsSync(join(ROOT, path))) found.push(path)
    }
  }
  return found
}

/** Changes with everything that an install depends on. */
function installKey() {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch} ${process.version}\n`)
  for (const path of manifests()) hash.update(`${path}\n`).update(readFileSync(join(ROOT, path)))
  return hash.digest('hex')
}

function installed(key) {
  return existsSync(REPO_NODE) && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === key
}

/** Output goes to stderr as it comes: stdout belongs to the job. */
function run(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], shell: WINDOWS })
    let tail = ''
    const show = (chunk) => {
      process.stderr.write(chunk)
      tail = (tail + chunk).slice(-8192)
    }
    child.stdout.on('data', show)
    child.stderr.on('data', show)
    child.on('error', (error) => resolve({ code: 127, tail, error }))
    child.on('close', (code) => resolve({ code: code ?? 1, tail }))
  })
}

async function install() {
  const key = installKey()
  if (installed(key)) return
  if (!atLeast(process.version, OLDEST_INSTALLER)) {
    fail(`could not install: Node ${process.version} is too old`, 'mend: install Node 20 or later from https://nodejs.org')
  }
  const { packageManager } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  say(`installing with ${packageManager} (the first time this takes a minute or two)`)
  const began = Date.now()
  rmSync(STAMP, { force: true })
  const flags = [
    'install',
    '--frozen-lockfile',
    '--prefer-offline',
    '--reporter=append-only',
    '--config.confirm-modules-purge=false',
  ]
  const result = await run('npx', ['-y', packageManager, ...flags])
  if (result.error?.code === 'ENOENT') {
    fail('could not install: npx was not found', 'mend: install npm 7 or later; it comes with Node')
  }
  if (result.code !== 0) {
    if (NETWORK.test(result.tail)) {
      fail(
        'could not install: the package registry could not be reached',
        'mend: check the network and proxy (`npm ping` must answer), then run the same command again; what was fetched is kept',
      )
    }
    if (/ERR_PNPM_OUTDATED_LOCKFILE/.test(result.tail)) {
      fail(
        'could not install: pnpm-lock.yaml does not fit the package.json files',
        `mend: run \`npx ${packageManager} install\``,
      )
    }
    fail(`could not install: ${packageManager} ended with code ${result.code}`, 'mend: see its message above')
  }
  writeFileSync(STAMP, key)
  say(`installed in ${Math.round((Date.now() - began) / 1000)} s`)
}

/** The repo's Node, or the one that runs this with SWITCHYARD_NODE=system, which CI uses to test every version it claims. */
function runtime() {
  const wantsSystem = process.env.SWITCHYARD_NODE === 'system'
  if (!wantsSystem && existsSync(REPO_NODE)) return REPO_NODE
  if (atLeast(process.version, OLDEST_RUNTIME)) return process.execPath
  return fail(
    `Node ${process.version} cannot run Switchyard`,
    wantsSystem ? 'mend: unset SWITCHYARD_NODE, or use Node 22.19 or later' : 'mend: install Node 22.19 or later',
  )
}

/**
 * The child gets a process group of its own, so that a terminal's Ctrl-C reaches it once, through here, and not three times:
 * from the terminal, from npm and from here.
 */
function handOver(node, job, args) {
  const path = [join(MODULES, '.bin'), dirname(node), process.env.PATH].join(delimiter)
  const child = spawn(node, [...JOBS[job], ...args], {
    cwd: ROOT,
    stdio: 'inherit',
    detached: !WINDOWS,
    env: { ...process.env, PATH: path },
  })
  const whole = job === 'test' && !WINDOWS
  const last = new Map()
  const forward = (signal) => {
    const now = Date.now()
    if (now - (last.get(signal) ?? Number.NEGATIVE_INFINITY) < 300) return
    last.set(signal, now)
    try {
      process.kill(whole ? -child.pid : child.pid, signal)
    } catch {
      // It has ended already, and `exit` below says how.
    }
  }
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => forward(signal))
  // A closed terminal ends the job; without a terminal SIGHUP is the gateway's "reload".
  process.on('SIGHUP', () => forward(process.stdout.isTTY || whole ? 'SIGTERM' : 'SIGHUP'))
  child.on('error', (error) => fail(`could not run ${node}: ${error.message}`, 'mend: remove node_modules and run it again'))
  child.on('exit', (code, signal) => process.exit(signal === null ? code : 128 + constants.signals[signal]))
}

const [job, ...args] = process.argv.slice(2)
if (!Object.hasOwn(JOBS, job ?? '')) fail(`unknown job ${JSON.stringify(job)}`, 'mend: npm start or npm test')
await install()
handOver(runtime(), job, args)
