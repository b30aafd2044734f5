import type { Deployment } from './deployment.ts'
import type { Lane } from './latency.ts'

/** One attempt under way. */
export interface Attempt {
  readonly deployment: Deployment
  readonly lane: Lane
  /** Monotonic ms. */
  readonly startedAt: number
  /** The deployment's life that it began in: what began before an ejection says nothing about the time after it. */
  readonly life: number
  /** The client chose the upstream itself, so that its outcome says nothing about the deployment as configured. */
  readonly foreign: boolean
  /** It has no reply yet. */
  waits: boolean
  /** Its number in the lane. */
  order: number
  older: Attempt | undefined
  newer: Attempt | undefined
}
