import type { Clock, SwitchyardError } from '@switchyard/contract'
import { retryAfterMs } from '@switchyard/egress'
import { type ErrorOf, openaiError } from '@switchyard/model-wire'

/** No provider's word makes us wait longer than a day. */
const CAP_MS = 86_400_000

/** Error replies of the dialect as SwitchyardError, with the wait they ask for. */
export function errorFor(instance: string, clock: Clock, secrets: readonly string[]): ErrorOf {
  return ({ status, headers, body }): SwitchyardError =>
    openaiError({ status, body, plugin: instance, secrets, retryAfterMs: retryAfterMs(headers, clock.now(), CAP_MS) })
}
