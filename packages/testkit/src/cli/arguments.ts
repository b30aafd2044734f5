import { readFile } from 'node:fs/promises'
import { type ParseArgsConfig, parseArgs } from 'node:util'
import { UsageError } from './usage-error.ts'

export interface RunArguments {
  readonly command: 'run'
  /** Path of the module, or name of an installed package. */
  readonly module: string
  readonly port: string
  readonly exportName: string | undefined
  readonly options: Readonly<Record<string, unknown>>
  readonly fixture: Readonly<Record<string, unknown>>
  readonly clock: 'virtual' | 'system' | undefined
  readonly only: readonly string[] | undefined
  readonly report: string | undefined
  readonly mutants: boolean
}

export interface ListArguments {
  readonly command: 'list'
  readonly port: string | undefined
  readonly json: boolean
}

export type Arguments = RunArguments | ListArguments | { readonly command: 'help' }

const OPTIONS = {
  clock: { type: 'string' },
  export: { type: 'string' },
  fixture: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  json: { type: 'boolean' },
  mutants: { type: 'boolean' },
  only: { type: 'string', multiple: true },
  options: { type: 'string' },
  port: { type: 'string' },
  report: { type: 'string' },
} as const satisfies ParseArgsConfig['options']

const OPTIONS_OF = {
  run: ['clock', 'export', 'fixture', 'mutants', 'only', 'options', 'port', 'report'],
  list: ['json', 'port'],
} as const

/** Understands a command line. Rejects with UsageError. */
export async function parseArguments(args: readonly string[]): Promise<Arguments> {
  const { values, positionals } = parsed(args)
  const [command, module, ...rest] = positionals
  if (values.help || command === 'help' || args.length === 0) return { command: 'help' }
  if (command !== 'run' && command !== 'list') {
    throw new UsageError(`there is no command ${JSON.stringify(command ?? '')}; use run, list or --help`)
  }
  const allowed: readonly string[] = OPTIONS_OF[command]
  const stray = Object.keys(values).find((name) => !allowed.includes(name))
  if (stray !== undefined) throw new UsageError(`${command} takes no --${stray}; it takes --${allowed.join(', --')}`)
  const surplus = command === 'list' ? module : rest[0]
  if (surplus !== undefined) throw new UsageError(`${command} takes no further argument, but got ${JSON.stringify(surplus)}`)
  if (command === 'list') return { command, port: values.port, json: values.json ?? false }
  if (module === undefined) throw new UsageError('run needs the plugin: testkit run ./dist/index.js --port cache')
  if (values.port === undefined) throw new UsageError('run needs the port to examine: --port cache')
  const { clock } = values
  if (clock !== undefined && clock !== 'virtual' && clock !== 'system') {
    throw new UsageError(`--clock is virtual or system, not ${JSON.stringify(clock)}`)
  }
  return {
    command,
    module,
    port: values.port,
    exportName: values.export,
    options: await jsonObject('--options', values.options),
    fixture: await jsonObject('--fixture', values.fixture),
    clock,
    only: values.only,
    report: values.report,
    mutants: values.mutants ?? false,
  }
}

function parsed(args: readonly string[]): ReturnType<typeof parseArgs<{ options: typeof OPTIONS; allowPositionals: true }>> {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true })
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}. See --help`)
  }
}

/** JSON as it stands, or out of a file as `@options.json`, which keeps secrets out of the process list. */
async function jsonObject(flag: string, given: string | undefined): Promise<Readonly<Record<string, unknown>>> {
  if (given === undefined) return {}
  const text = given.startsWith('@') ? await fileText(flag, given.slice(1)) : given
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new UsageError(`${flag} is no JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UsageError(`${flag} must be a JSON object, such as '{"maxBytes": 1048576}'`)
  }
  return value as Readonly<Record<string, unknown>>
}

async function fileText(flag: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new UsageError(`${flag} names a file that cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}
