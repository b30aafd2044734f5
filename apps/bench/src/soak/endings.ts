import { type Call, type Ending, type Operation, type Reply, SwitchyardError } from '@switchyard/contract'

/** How one attempt goes. */
export type Way = 'whole' | 'complete' | 'cut' | 'refused' | 'hangs'

/** What the soak's target does, in turn: each way that an attempt can end, more good ones than bad. */
export const WAYS: readonly Way[] = [
  'complete',
  'whole',
  'complete',
  'complete',
  'cut',
  'complete',
  'refused',
  'whole',
  'hangs',
  'complete',
]

/** Timers that the target holds; none is left once every call has ended. */
export interface SoakTarget {
  readonly answer: (call: Call) => Promise<Reply<Operation>>
  readonly attempts: () => number
}

/** A target without a network that does each way in its turn, and heeds the call's signal. */
export function soakTarget(): SoakTarget {
  let attempts = 0
  return {
    attempts: () => attempts,
    answer: (call) => run(call, WAYS[attempts++ % WAYS.length] as Way) as Promise<Reply<Operation>>,
  }
}

async function run({ signal }: Call, way: Way): Promise<unknown> {
  await turn()
  if (signal.aborted) throw signal.reason
  if (way === 'refused')
    throw new SwitchyardError('UPSTREAM_UNAVAILABLE', 'nobody listens there; start it', { details: { sent: false } })
  if (way === 'hangs') return new Promise((_, reject) => whenAborted(signal, () => reject(signal.reason)))
  if (way === 'whole')
    return { status: 200, headers: {}, body: new Uint8Array(0), ended: Promise.resolve({ outcome: 'complete' }) }
  return { status: 200, headers: {}, body: new Uint8Array(0), ended: lasting(signal, way) }
}

function lasting(signal: AbortSignal, way: Way): Promise<Ending> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', leave)
      resolve(way === 'cut' ? { outcome: 'truncated', error: CUT } : { outcome: 'complete' })
    }, 2)
    const leave = (): void => {
      clearTimeout(timer)
      resolve({ outcome: 'aborted', error: signal.reason })
    }
    signal.addEventListener('abort', leave, { once: true })
  })
}

const CUT = new SwitchyardError('UPSTREAM_TRUNCATED', 'the stream ended before it was finished')

function whenAborted(signal: AbortSignal, then: () => void): void {
  if (signal.aborted) then()
  else signal.addEventListener('abort', then, { once: true })
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
