import { SwitchyardError } from '@switchyard/contract'
import { type Assembly, checkAssembly } from '@switchyard/kernel'
import { type Choice, choose } from '../config/configure.ts'
import { planEmbedded, withOwn } from '../config/embedded.ts'
import { isLoopback } from '../config/open-host.ts'
import { findConfig, readSettings } from '../config/read.ts'
import { assemblyTable } from './assembly-table.ts'
import { orFail } from './failure.ts'
import { type Flags, withFlags } from './flags.ts'

/** Which configuration, and what the command line says beside it. */
export interface PlanOptions extends Flags {
  readonly config?: string
}

/** What a configuration would assemble, with placeholder addresses for what is not started. */
export async function planned(
  options: PlanOptions,
): Promise<{ readonly path: string | undefined; readonly choice: Choice; readonly assembly: Assembly }> {
  const path = options.config ?? (await findConfig(process.cwd()))
  const settings = withFlags(await readSettings(path, process.env), options, process.env)
  const choice = await choose(settings, path, process.env)
  const plugins = withOwn(choice.embedded === undefined ? [] : planEmbedded(choice.embedded).plugins, choice.own)
  return { path, choice, assembly: { plugins } }
}

/** `switchyard check`: every problem of the configuration at once, or the assembly as a table. Exit code 1 with problems. */
export async function check(options: PlanOptions): Promise<void> {
  await orFail(async () => {
    const { path, choice, assembly } = await planned(options)
    const problems = await checkAssembly(assembly)
    console.log(`configuration: ${path ?? 'none; the embedded default'}`)
    console.log(assemblyTable(assembly))
    const { host, port } = choice.settings.server
    const { length: keys } = choice.settings.auth.keys
    const only = keys > 0 || isLoopback(host) ? '' : ' listed, so that it starts only where one was created'
    console.log(`listens on ${host}:${port}; ${keys || 'no'} keys${only}`)
    if (problems.length === 0) {
      console.log('ok')
      return
    }
    const lines = problems.map(({ code, plugin, message, mend }) => `  ${code} ${plugin}: ${message}; ${mend}`)
    throw new SwitchyardError(
      'CONFIG_INVALID',
      `${problems.length} problem${problems.length > 1 ? 's' : ''}:\n${lines.join('\n')}`,
    )
  })
}
