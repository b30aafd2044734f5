/** A change of a key. */
export interface KeyEvent {
  /** The key's public id. */
  readonly id: string
  readonly class: 'virtual' | 'admin'
  readonly tenant: string
  /** Who did it, and why. */
  readonly by: string
  readonly reason: string
  /** Epoch ms. */
  readonly at: number
}

/** Why someone was not let in: for operators, never for the one who asked. */
export type LoginFailure =
  | 'missing'
  | 'unreadable'
  | 'unknown'
  | 'wrong-secret'
  | 'expired'
  | 'revoked'
  | 'wrong-source'
  | 'bad-token'
  | 'limited'
  | 'fault'

/** A credential that was refused, or its absence. */
export interface LoginFailed {
  readonly why: LoginFailure
  /** The id that was claimed, if one can be read. Nothing proves it. */
  readonly claimed: string | undefined
  /** Address of the peer. */
  readonly source: string | undefined
  /** Epoch ms. */
  readonly at: number
}

declare module '@switchyard/contract' {
  interface KernelEvents {
    /** At the node where it was done, here and below. */
    'key:created': KeyEvent
    'key:updated': KeyEvent & { readonly changed: readonly string[] }
    'key:rotated': KeyEvent & { readonly previousUntil: number | undefined }
    'key:revoked': KeyEvent
    'login:failed': LoginFailed
  }
}
