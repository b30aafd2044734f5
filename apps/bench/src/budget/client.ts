import type { LoadCall } from './load.ts'

/** How a call ended for whoever sent it: `done` also where the client left; `away` while the counters could not be asked. */
export type Outcome = 'done' | 'refused' | 'away'

/** One process's way of sending calls under a budget. */
export interface Client {
  /** Rejects with what is none of the outcomes. */
  send(call: LoadCall): Promise<Outcome>
  /** Nano-USD settled and held, by counter that this process has used. */
  audit(): Promise<Readonly<Record<string, string>>>
  close(): Promise<void>
}
