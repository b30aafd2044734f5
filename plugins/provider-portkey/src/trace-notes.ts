import type { Trace } from '@switchyard/contract'

/** What Portkey says about its own work, of use when a call is looked into. */
const NOTED = ['provider', 'last-used-option-index', 'retry-attempt-count', 'cache-status'] as const
const GUARDRAILS_FAILED = 246

/** Notes in a call's trace what Portkey's reply says beside its body. */
export function noteReply(
  trace: Trace,
  instance: string,
  reply: { readonly status: number; readonly headers: Readonly<Record<string, string>> },
): void {
  const because: Record<string, string> = {}
  for (const name of NOTED) {
    const value = reply.headers[`x-portkey-${name}`]
    if (value !== undefined) because[name] = value
  }
  if (Object.keys(because).length > 0) trace.decide(instance, 'went through portkey', because)
  if (reply.status === GUARDRAILS_FAILED) trace.decide(instance, 'passed with failed guardrails', { status: reply.status })
}
