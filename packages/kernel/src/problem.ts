import { type ErrorCode, SwitchyardError } from '@switchyard/contract'

/** One thing that keeps an assembly from starting. */
export interface Problem {
  readonly code: ErrorCode
  /** Name of the plugin instance it was found at. */
  readonly plugin: string
  /** What is wrong. */
  readonly message: string
  /** What to do about it. */
  readonly mend: string
}

/**
 * The one error that refuses an assembly: `details.problems` holds every problem, and the message prints each with its mend.
 * Never retryable as it stands.
 */
export function assemblyError(
  code: ErrorCode,
  headline: string,
  problems: readonly Problem[],
  cause?: unknown,
): SwitchyardError {
  const lines = problems.map(
    ({ plugin, message, mend }) => `\n  - ${plugin}: ${message}. ${mend}${mend.endsWith('?') ? '' : '.'}`,
  )
  return new SwitchyardError(code, `${headline}:${lines.join('')}`, { retryable: false, details: { problems }, cause })
}

/** The code that all problems share, else `CONFIG_INVALID`. */
export function sharedCode(problems: readonly Problem[]): ErrorCode {
  const first = problems[0]
  return first !== undefined && problems.every((problem) => problem.code === first.code) ? first.code : 'CONFIG_INVALID'
}
