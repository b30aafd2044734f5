import type { Health } from '@switchyard/contract'

/** Who disables in the cases, and why. */
export const DISABLED: { readonly by: string; readonly reason: string } = { by: 'ada', reason: 'it answers nonsense' }

/** Who enables in the cases, and why. */
export const ENABLED: { readonly by: string; readonly reason: string } = { by: 'grace', reason: 'mended' }

/** Names of all that are listed, in that order. */
export function names(health: Health): readonly string[] {
  return health.list().map(({ deployment }) => deployment)
}
