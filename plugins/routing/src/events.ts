/** An arm that was turned off, since it was shown to fall short of the reference. */
export interface ArmOff {
  /** Name of the plugin instance. */
  readonly plugin: string
  readonly route: string
  /** Kind of question that it is off for. */
  readonly taskClass: string
  readonly arm: string
  /** Calls that the reference answered too. */
  readonly pairs: number
  /** Share of them on which both agreed. */
  readonly agreement: number
  /** What the true share is below, whenever one looks, but for the chance that was allowed. */
  readonly upperBound: number
  readonly target: number
}

declare module '@switchyard/contract' {
  interface KernelEvents {
    'arm:off': ArmOff
  }
}
