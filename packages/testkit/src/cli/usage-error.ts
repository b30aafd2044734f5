/** A mistake in how the command was called: printed without a stack, exit code 2. Its message names the mend. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError'
}
