import { type Call, SwitchyardError, type Trace } from '@switchyard/contract'

/** A `sql.query` call with what a test cares about changed. */
export function fakeCall(changes: Partial<Call> = {}): Call & { readonly trace: Trace } {
  return Object.freeze({
    id: 'call-1',
    operation: 'sql.query',
    target: 'orders',
    request: { sql: 'select 1', params: [] },
    principal: { tenant: 'acme', keyId: 'key-1', roles: [] },
    signal: new AbortController().signal,
    deadline: undefined,
    attempt: 1,
    idempotent: true,
    attributes: {},
    trace: fakeTrace(),
    ...changes,
  } as Call)
}

function fakeTrace(): Trace {
  const decisions: Trace['decisions'][number][] = []
  const measures = new Map<string, number>()
  return {
    decisions,
    measures,
    decide: (by, decision, because) => decisions.push({ by, decision, ...(because === undefined ? {} : { because }) }),
    measure: (name, value) => measures.set(name, (measures.get(name) ?? 0) + value),
  }
}

/** An error that may be repeated. */
export function unavailable(options: { retryAfterMs?: number; details?: Record<string, unknown> } = {}): SwitchyardError {
  return new SwitchyardError('UPSTREAM_UNAVAILABLE', 'the database refused the connection; start it', options)
}

/** What a promise rejects with; fails where it resolves. */
export async function rejection(promise: Promise<unknown>): Promise<SwitchyardError> {
  try {
    await promise
  } catch (error) {
    return error as SwitchyardError
  }
  throw new Error('it resolved')
}

/** Listeners for `abort` that are on a signal now. */
export function countListeners(signal: AbortSignal): () => number {
  let count = 0
  const { addEventListener, removeEventListener } = signal
  const held = new Set<unknown>()
  signal.addEventListener = ((...args: Parameters<typeof addEventListener>) => {
    if (!held.has(args[1])) count++
    held.add(args[1])
    return addEventListener.apply(signal, args)
  }) as typeof addEventListener
  signal.removeEventListener = ((...args: Parameters<typeof removeEventListener>) => {
    if (held.delete(args[1])) count--
    return removeEventListener.apply(signal, args)
  }) as typeof removeEventListener
  return () => count
}
