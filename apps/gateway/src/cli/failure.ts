import { SwitchyardError } from '@switchyard/contract'

/** Runs a command; an expected failure is printed without a stack and gives exit code 1. */
export async function orFail(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!SwitchyardError.is(error)) throw error
    console.error(`switchyard: ${error.code}: ${error.message}`)
    process.exitCode = 1
  }
}
