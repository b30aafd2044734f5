import { AssertionError } from 'node:assert/strict'
import { type ErrorCode, SwitchyardError } from '@switchyard/contract'

/**
 * Resolves with the error when `work` rejects with a SwitchyardError of one of the codes; otherwise rejects, saying what came
 * instead. A throw before a promise was returned counts as broken too: ports reject, they do not throw.
 */
export async function rejectsWith(
  work: () => Promise<unknown>,
  code: ErrorCode | readonly ErrorCode[],
  what: string,
): Promise<SwitchyardError> {
  const codes: readonly ErrorCode[] = typeof code === 'string' ? [code] : code
  const wanted = `${what} must reject with ${codes.join(' or ')}`
  let promise: Promise<unknown>
  try {
    promise = work()
  } catch (error) {
    throw new AssertionError({ message: `${wanted}, but threw at once: ${String(error)}` })
  }
  const outcome = await promise.then(
    (value: unknown) => ({ value }),
    (error: unknown) => ({ error }),
  )
  if (!('error' in outcome)) throw new AssertionError({ message: `${wanted}, but resolved`, actual: outcome.value })
  const { error } = outcome
  if (!SwitchyardError.is(error)) {
    throw new AssertionError({ message: `${wanted}, but rejected with what is no SwitchyardError: ${String(error)}` })
  }
  if (!codes.includes(error.code)) {
    throw new AssertionError({ message: `${wanted}, but rejected with ${error.code}: ${error.message}`, actual: error.code })
  }
  return error
}
