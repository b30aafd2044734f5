import { vi } from 'vitest'
import { switchyardProgram } from '../../src/cli/program.ts'

export interface CliResult {
  readonly out: string
  readonly err: string
  /** What the process would leave with. */
  readonly code: number
}

class Exit extends Error {
  readonly code: number
  constructor(code: number) {
    super(`exit ${code}`)
    this.code = code
  }
}

/** Runs the command line inside this process, in a folder, with an environment of the test's own. */
export async function cli(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}): Promise<CliResult> {
  const out: string[] = []
  const err: string[] = []
  const write = (to: string[]) => (text: string | Uint8Array) => to.push(String(text)) > 0
  const realEnvironment = process.env
  const spies = [
    vi.spyOn(process, 'cwd').mockReturnValue(cwd),
    vi.spyOn(console, 'log').mockImplementation((text: string) => void out.push(`${text}\n`)),
    vi.spyOn(console, 'error').mockImplementation((text: string) => void err.push(`${text}\n`)),
    vi.spyOn(process.stdout, 'write').mockImplementation(write(out)),
    vi.spyOn(process.stderr, 'write').mockImplementation(write(err)),
    vi.spyOn(process, 'exit').mockImplementation((code) => {
      throw new Exit(Number(code ?? 0))
    }),
  ]
  let code = 0
  process.env = env
  try {
    await switchyardProgram().parseAsync(['node', 'switchyard', ...args])
    code = Number(process.exitCode ?? 0)
  } catch (error) {
    if (!(error instanceof Exit)) throw error
    code = error.code
  } finally {
    process.env = realEnvironment
    process.exitCode = undefined
    for (const spy of spies) spy.mockRestore()
  }
  return { out: out.join(''), err: err.join(''), code }
}
