import { SwitchyardError } from '@switchyard/contract'

/** Whoever led does so no more, or gave up. */
export function over(what: string): SwitchyardError {
  return new SwitchyardError('CONFLICT', `redis: ${what}; join again`, { retryable: true })
}

export function closed(): SwitchyardError {
  return new SwitchyardError('CLOSED', 'redis: the plugin is closed')
}

export function tooLarge(limit: number): SwitchyardError {
  const words = `redis: a flight may hand over ${limit} bytes, which is maxFlightBytes; raise it, or share less`
  return new SwitchyardError('TOO_LARGE', words, { details: { option: 'maxFlightBytes', limit } })
}
