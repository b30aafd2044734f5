import { spawn } from 'node:child_process'

/** How a step is run. */
export interface StepOptions {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Shows the output as it comes instead of only when the step fails. */
  readonly live?: boolean
}

/** Runs one command under its own heading. Resolves with whether it ended with 0; never rejects. */
export async function runStep(title: string, command: readonly string[], options: StepOptions): Promise<boolean> {
  const began = performance.now()
  const live = options.live === true
  console.log(`\n── ${title}`)
  const { code, output } = await run(command, options, live)
  if (code !== 0 && !live) process.stdout.write(output.endsWith('\n') || output === '' ? output : `${output}\n`)
  console.log(`── ${title}: ${code === 0 ? 'ok' : `FAILED (code ${code})`}, ${seconds(began)}`)
  return code === 0
}

/** Since `began`, by `performance.now`: `3.2 s`. */
export function seconds(began: number): string {
  return `${((performance.now() - began) / 1000).toFixed(1)} s`
}

function run(command: readonly string[], { cwd, env }: StepOptions, live: boolean): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const [program, ...args] = command as [string, ...string[]]
    const child = spawn(program, args, { cwd, env, stdio: live ? 'inherit' : ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const keep = (chunk: Buffer): void => {
      output += chunk
    }
    child.stdout?.on('data', keep)
    child.stderr?.on('data', keep)
    child.on('error', (error) => resolve({ code: 127, output: `${program}: ${error.message}\n` }))
    child.on('close', (code) => resolve({ code: code ?? 1, output }))
  })
}
