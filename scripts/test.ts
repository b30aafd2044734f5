import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { GROUPS } from './house/house.ts'
import { type Counts, readCounts } from './run/counts.ts'
import { parseTestOptions, type TestOptions, USAGE } from './run/options.ts'
import { runStep, seconds } from './run/steps.ts'
import { acquireService, notRunLine, type Ready, SERVICE_NAMES } from './services/index.ts'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const COUNTS = join(ROOT, '.switchyard', 'test-counts.json')
const { packageManager } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { readonly packageManager: string }

const began = performance.now()
const env: Record<string, string | undefined> = {
  ...process.env,
  PATH: [join(ROOT, 'node_modules', '.bin'), dirname(process.execPath), process.env.PATH].join(delimiter),
  TURBO_TELEMETRY_DISABLED: '1',
}
const failedSteps: string[] = []
const notRun: string[] = []
const servers: Ready[] = []

async function step(title: string, command: readonly string[], options: { readonly live?: boolean } = {}): Promise<boolean> {
  const ok = await runStep(title, command, { cwd: ROOT, env, ...options })
  if (!ok) failedSteps.push(title)
  return ok
}

/** turbo runs scripts by the package manager, which npx puts on its PATH. */
const turbo = (task: string, folders: readonly string[]): readonly string[] => [
  ...['npx', '-y', packageManager, 'exec', 'turbo', 'run', task, '--output-logs=errors-only', '--continue'],
  ...folders.map((folder) => `--filter=./${folder}`),
]

function foldersOf({ packages }: TestOptions): readonly string[] {
  return packages.map((name) => {
    const found = GROUPS.map((group) => `${group}/${name}`).find((folder) => existsSync(join(ROOT, folder, 'package.json')))
    if (found === undefined) throw new TypeError(`--package ${name}: there is no packages/, plugins/ or apps/${name}`)
    return found
  })
}

/** Finds or starts every server once; the tests find them by environment variables. */
async function acquireServers({ required }: TestOptions): Promise<void> {
  const since = performance.now()
  console.log('\n── servers')
  for (const name of SERVICE_NAMES) {
    try {
      const outcome = await acquireService(name, { env })
      if (outcome.status === 'ready') {
        servers.push(outcome)
        env[`${name.toUpperCase()}_URL`] = outcome.url
        console.log(`${name} ${outcome.version}, ${outcome.how}`)
        continue
      }
      notRun.push(notRunLine(outcome))
      console.log(notRunLine(outcome))
      if (required.includes(name)) failedSteps.push(`--require ${name}`)
    } catch (error) {
      console.log((error as Error).message)
      failedSteps.push(`server ${name}`)
    }
    env.SWITCHYARD_WITHOUT = [env.SWITCHYARD_WITHOUT, name].filter(Boolean).join(',')
  }
  console.log(`── servers: ${seconds(since)}`)
}

async function releaseServers(): Promise<void> {
  for (const server of servers.splice(0)) await server.release()
}

async function runTests({ fast }: TestOptions, folders: readonly string[]): Promise<Counts> {
  mkdirSync(dirname(COUNTS), { recursive: true })
  rmSync(COUNTS, { force: true })
  env.SWITCHYARD_TEST_COUNTS = COUNTS
  const vitest = [
    process.execPath,
    join(ROOT, 'node_modules', 'vitest', 'vitest.mjs'),
    'run',
    ...folders.map((folder) => `${folder}/`),
  ]
  const ok = await runStep('tests', fast || folders.length > 0 ? vitest : [...vitest, '--coverage'], {
    cwd: ROOT,
    env,
    live: true,
  })
  const counts = readCounts(COUNTS)
  if (counts === undefined) failedSteps.push('tests (the run broke off)')
  else if (!ok && counts.failed === 0) failedSteps.push('coverage')
  return counts ?? { passed: 0, failed: 0, skipped: 0, notes: {} }
}

function report(counts: Counts): void {
  console.log(`\n${seconds(began)} in all, on Node ${process.version}`)
  for (const title of failedSteps) console.log(`failed: ${title}`)
  for (const line of notRun) console.log(line)
  for (const [note, count] of Object.entries(counts.notes)) {
    const line = note.startsWith('not run:') ? note : `not run: ${count} test${count === 1 ? '' : 's'}, because ${note}`
    if (!notRun.includes(line)) console.log(line)
  }
  const failed = counts.failed + failedSteps.length
  process.exitCode = failed === 0 ? 0 : 1
  console.log(`${counts.passed} passed, ${failed} failed, ${counts.skipped} skipped`)
}

async function main(options: TestOptions): Promise<void> {
  const folders = foldersOf(options)
  const whole = folders.length === 0
  await step('lint', ['biome', 'check', '--colors=off', ...(whole ? ['.'] : folders)])
  await step('types', turbo('typecheck', folders))
  if (whole) {
    await step('types of scripts', ['tsc', '-p', 'tsconfig.json'])
    await step('unused code (knip)', ['knip', '--no-progress'])
    await step('house rules', [process.execPath, 'scripts/check-house.ts'])
  }
  await acquireServers(options)
  const counts = await runTests(options, folders)
  await releaseServers()
  if (!options.fast) await step('build', turbo('build', folders))
  report(counts)
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.once(signal, () => void releaseServers().finally(() => process.exit(code)))
}
try {
  const options = parseTestOptions(process.argv.slice(2))
  if (options === 'help') console.log(USAGE)
  else await main(options)
} catch (error) {
  await releaseServers()
  if (!(error instanceof TypeError)) throw error
  console.error(`${error.message}\n${USAGE}`)
  process.exitCode = 2
}
