import { SwitchyardError } from '@switchyard/contract'
import { type Assembly, checkAssembly } from '@switchyard/kernel'
import { type Choice, choose } from '../config/configure.ts'
import { planEmbedded } from '../config/embedded.ts'
import { findConfig, readSettings } from '../config/read.ts'
import { assemblyTable } from './assembly-table.ts'
import { orFail } from './failure.ts'

/** What a configuration would assemble, with placeholder addresses for what is not started. */
export async function planned(
  config: string | undefined,
): Promise<{ readonly path: string | undefined; readonly choice: Choice; readonly assembly: Assembly }> {
  const path = config ?? (await findConfig(process.cwd()))
  const choice = await choose(await readSettings(path, process.env), path, process.env)
  const plugins = [...(choice.embedded === undefined ? [] : planEmbedded(choice.embedded).plugins), ...choice.own]
  return { path, choice, assembly: { plugins } }
}

/** `switchyard check`: every problem of the configuration at once, or the assembly as a table. Exit code 1 with problems. */
export async function check(options: { readonly config?: string }): Promise<void> {
  await orFail(async () => {
    const { path, choice, assembly } = await planned(options.config)
    const problems = await checkAssembly(assembly)
    console.log(`configuration: ${path ?? 'none; the embedded default'}`)
    console.log(assemblyTable(assembly))
    const { host, port } = choice.settings.server
    console.log(`listens on ${host}:${port}; ${choice.settings.auth.keys.length || 'no'} keys`)
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
