import { writeFile } from 'node:fs/promises'
import { SwitchyardError } from '@switchyard/contract'
import { judgeMutants, type MutantReport, type MutantVerdict } from '../conformance/judge-mutants.ts'
import type { CaseResult } from '../conformance/run-case.ts'
import { runSuite } from '../conformance/run-suite.ts'
import { type AnySuite, suites } from '../suites/suites.ts'
import { type ListArguments, parseArguments, type RunArguments } from './arguments.ts'
import { cliSubject } from './cli-subject.ts'
import { HELP } from './help.ts'
import { UsageError } from './usage-error.ts'

/** Where the command prints to. */
export interface Output {
  out(line: string): void
  err(line: string): void
}

/** Carries out a command line. Resolves with the exit code: 0, 1 where something failed, 2 for a wrong call. */
export async function cli(args: readonly string[], output: Output): Promise<number> {
  try {
    const given = await parseArguments(args)
    if (given.command === 'help') output.out(HELP)
    else if (given.command === 'list') list(given, output)
    else return await run(given, output)
    return 0
  } catch (error) {
    if (error instanceof UsageError) {
      output.err(`testkit: ${error.message}`)
      return 2
    }
    if (!SwitchyardError.is(error)) throw error
    output.err(`testkit: the plugin did not start (${error.code}): ${error.message}`)
    return MISUSED.has(error.code) ? 2 : 1
  }
}

/** Start-up errors that other options, or another plugin, would mend. */
const MISUSED: ReadonlySet<string> = new Set(['CONFIG_INVALID', 'CONTRACT_UNSUPPORTED', 'DEPENDENCY_MISSING'])

function suiteOf(port: string): AnySuite {
  const suite = suites.find((candidate) => candidate.port.id === port)
  if (suite !== undefined) return suite
  throw new UsageError(`there is no suite for port ${port}; there are ${suites.map(({ port: { id } }) => id).join(', ')}`)
}

function list({ port, json }: ListArguments, { out }: Output): void {
  const chosen = port === undefined ? suites : [suiteOf(port)]
  if (json) {
    const rows = chosen.map((suite) => ({
      port: { id: suite.port.id, version: suite.port.version },
      cases: suite.cases.map(({ id, promise, declared }) => ({ id, promise, conditional: declared !== undefined })),
    }))
    out(JSON.stringify(rows, undefined, 2))
    return
  }
  for (const { port: token, cases, mutants } of chosen) {
    out(`${token.id}@${token.version}: ${cases.length} cases, ${mutants.length} mutants`)
    for (const { id, promise } of cases) out(`  ${id}: ${promise}`)
  }
}

async function run(given: RunArguments, { out, err }: Output): Promise<number> {
  const suite = suiteOf(given.port)
  if (given.mutants && given.only !== undefined) throw new UsageError('--mutants judges the whole suite; leave --only out')
  const unknown = given.only?.find((wanted) => !suite.cases.some(({ id }) => id === wanted || id.startsWith(`${wanted}.`)))
  if (unknown !== undefined)
    throw new UsageError(`no case of ${given.port} is named ${unknown}; see testkit list --port ${given.port}`)
  const subject = await cliSubject(given, suite.port)
  const strays = watchStrays(err)
  try {
    const code = await examine(given, suite, subject, { out, err })
    await new Promise((resolve) => setImmediate(resolve))
    return strays.seen() ? 1 : code
  } finally {
    strays.stop()
  }
}

/** A promise that the plugin left rejected, with nobody to handle it, would end a process in production: here it fails the run. */
function watchStrays(err: Output['err']): { seen(): boolean; stop(): void } {
  let seen = false
  const onStray = (reason: unknown): void => {
    seen = true
    err(`  STRAY unhandled rejection: ${reason instanceof Error ? (reason.stack ?? reason.message) : String(reason)}`)
  }
  process.on('unhandledRejection', onStray)
  return { seen: () => seen, stop: () => void process.off('unhandledRejection', onStray) }
}

async function examine(
  given: RunArguments,
  suite: AnySuite,
  subject: Awaited<ReturnType<typeof cliSubject>>,
  { out, err }: Output,
): Promise<number> {
  const report = await runSuite(suite, subject, {
    ...(given.only === undefined ? {} : { only: given.only }),
    onCase: (result) => out(caseLine(result)),
  })
  out(`${report.passed} passed, ${report.failed} failed`)
  let mutants: MutantReport | undefined
  if (given.mutants && report.failed > 0) out('mutants are not judged: the plugin must pass the suite first')
  else if (given.mutants) {
    mutants = await judgeMutants(suite, subject, { baseline: report, onVerdict: (verdict) => out(verdictLine(verdict)) })
    for (const problem of mutants.problems) err(problem)
    out(`${mutants.verdicts.filter(({ verdict }) => verdict === 'killed').length} of ${mutants.verdicts.length} mutants killed`)
  }
  if (given.report !== undefined) {
    await writeFile(
      given.report,
      `${JSON.stringify({ ...report, ...(mutants === undefined ? {} : { mutants }) }, undefined, 2)}\n`,
    )
  }
  return report.failed === 0 && (mutants?.problems.length ?? 0) === 0 ? 0 : 1
}

function caseLine({ id, status, ran, durationMs, error }: CaseResult): string {
  if (status === 'passed') return `  ok    ${id}${ran === 'undeclared' ? ' (not declared)' : ''} ${Math.round(durationMs)} ms`
  const code = error?.code === undefined ? '' : ` [${error.code}]`
  const during = error?.during === 'check' ? '' : `${error?.during}: `
  return `  FAIL  ${id}${code}\n        ${during}${error?.message.replaceAll('\n', '\n        ')}`
}

function verdictLine({ mutant, killedBy, verdict }: MutantVerdict): string {
  return `  ${verdict === 'killed' ? 'killed' : verdict.toUpperCase()}  ${mutant} (${killedBy})`
}
