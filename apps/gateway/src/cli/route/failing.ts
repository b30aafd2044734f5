import { SwitchyardError } from '@switchyard/contract'
import { orFail } from '../failure.ts'

/** `orFail`, where files that cannot be read as outcomes are an expected failure too. */
export async function orFailOnData(work: () => Promise<void>): Promise<void> {
  await orFail(async () => {
    try {
      await work()
    } catch (error) {
      if (error instanceof TypeError || error instanceof SyntaxError)
        throw new SwitchyardError('CONFIG_INVALID', error.message, { cause: error })
      throw error
    }
  })
}
