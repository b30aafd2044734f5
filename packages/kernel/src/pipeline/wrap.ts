import { SwitchyardError } from '@switchyard/contract'

/** An error of the contract as it is; anything else as `INTERNAL`, with what was thrown as its cause. */
export function wrapUnknown(error: unknown, plugin: string, place: string): SwitchyardError {
  if (SwitchyardError.is(error)) return error
  const said = error instanceof Error ? error.message : String(error)
  return new SwitchyardError('INTERNAL', `${place} of "${plugin}" threw what is no SwitchyardError: ${said}`, {
    plugin,
    cause: error,
  })
}
