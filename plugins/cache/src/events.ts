import type { Principal } from '@switchyard/contract'

declare module '@switchyard/contract' {
  interface KernelEvents {
    /** Stored replies were invalidated, by whom and how many: to be kept as an audit event. */
    'cache:invalidated': {
      readonly by: string
      readonly tenant: string | undefined
      readonly tags: readonly string[]
      readonly count: number | undefined
      readonly exact: boolean
    }
    /** A caller said that an answer from the cache was wrong; it was removed. */
    'cache:rejected': { readonly tenant: Principal['tenant']; readonly requestId: string; readonly level: string }
  }
}
