import type { Envelope } from './envelope.ts'

/** A stored reply made ready to answer with. */
export interface KeptReply extends Envelope {
  /** As the operation's kind made it. */
  readonly ready: unknown
  /** What `ready` takes in memory. */
  readonly bytes: number
}
