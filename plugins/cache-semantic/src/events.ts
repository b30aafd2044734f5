/** A stored answer that was served to a question it does not answer. No text is told. */
export interface WrongHit {
  /** Name of the plugin instance. */
  readonly plugin: string
  readonly partition: string
  readonly population: string
  /** Of the stored answer. */
  readonly key: string
  readonly foundBy: 'audit' | 'feedback'
  /** What the hit was served by; undefined where that is not known. */
  readonly similarity: number | undefined
  readonly probability: number | undefined
}

declare module '@switchyard/contract' {
  interface KernelEvents {
    /** It was taken out of the index, on every node. */
    'cache:wrong-hit': WrongHit
  }
}
