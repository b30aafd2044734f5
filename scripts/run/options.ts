import { parseArgs } from 'node:util'
import { SERVICE_NAMES, type ServiceName } from '../services/index.ts'

/** What `npm test -- ...` was asked for. */
export interface TestOptions {
  /** No coverage and no build. */
  readonly fast: boolean
  /** Servers whose absence is a failure. */
  readonly required: readonly ServiceName[]
  /** Folder names; empty = all. */
  readonly packages: readonly string[]
}

export const USAGE: string = `usage: npm test -- [--fast] [--require NAME]... [--package FOLDER]...
  --fast      leaves out coverage and the build
  --require   fails if this server cannot be had (${SERVICE_NAMES.join(', ')}); without it, its tests are named as not run
  --package   lints, type-checks and tests only this package, such as kernel or provider-openai`

/**
 * Reads the command line.
 * @throws TypeError for an option or a server that is not known.
 */
export function parseTestOptions(args: readonly string[]): TestOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      fast: { type: 'boolean', default: false },
      require: { type: 'string', multiple: true, default: [] },
      package: { type: 'string', multiple: true, default: [] },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return 'help'
  const named = (list: readonly string[]): string[] => list.flatMap((entry) => entry.split(',')).filter((entry) => entry !== '')
  const required = named(values.require)
  const unknown = required.filter((name) => !(SERVICE_NAMES as readonly string[]).includes(name))
  if (unknown.length > 0) throw new TypeError(`--require ${unknown.join(', ')}: known are ${SERVICE_NAMES.join(', ')}`)
  return { fast: values.fast, required: required as ServiceName[], packages: named(values.package) }
}
