import { type Clock, type Logger, SwitchyardError } from '@switchyard/contract'
import { createEgress, retryAfterMs } from '@switchyard/egress'
import type { Delivery } from './deliveries.ts'
import type { WebhookOptions } from './options.ts'
import { signedHeaders } from './sign.ts'

/** Takes deliveries somewhere. */
export interface Sink {
  readonly name: string
  /** Resolves when it has arrived; rejects where it may not have. */
  deliver(delivery: Delivery): Promise<void>
  close?(): Promise<void>
}

/** An alert as it is told: by event, and in the body of a webhook. */
export interface BudgetAlert {
  /** Stable over retries and nodes. */
  readonly id: string
  /** `budget.threshold` or `budget.anomaly`. */
  readonly type: string
  /** ISO 8601. */
  readonly timestamp: string
  readonly data: Readonly<Record<string, unknown>>
}

const MAX_REPLY_BYTES = 65_536
const LONGEST_ASKED_MS = 3_600_000

/** The alert that a delivery is of. */
function alertOf({ id, kind, payload, atMs }: Delivery): BudgetAlert {
  const data = JSON.parse(payload) as Readonly<Record<string, unknown>>
  return { id, type: `budget.${kind}`, timestamp: new Date(atMs).toISOString(), data }
}

/** Writes alerts into the log. */
export function logSink(log: Logger): Sink {
  return {
    name: 'log',
    async deliver(delivery) {
      const { type, data } = alertOf(delivery)
      log.warn({ alert: type, ...data }, type === 'budget.anomaly' ? 'spending is unusual' : 'a budget has reached a threshold')
    },
  }
}

/** Tells observers of the process. */
export function eventSink(emit: (alert: BudgetAlert) => void): Sink {
  return {
    name: 'event',
    async deliver(delivery) {
      emit(alertOf(delivery))
    },
  }
}

/** Posts alerts, signed as Standard Webhooks has it. Any 2xx is an arrival; a redirect is none. */
export function webhookSink(
  { name, url, secrets, allow }: WebhookOptions,
  { plugin, clock, timeoutMs }: { readonly plugin: string; readonly clock: Clock; readonly timeoutMs: number },
): Sink {
  const isLocal = new URL(url).protocol === 'http:'
  const egress = createEgress(
    {
      schemes: isLocal ? ['http:'] : ['https:'],
      allow: isLocal ? ['127.0.0.0/8', '::1/128', ...allow] : allow,
      maxResponseBytes: MAX_REPLY_BYTES,
      totalTimeoutMs: timeoutMs,
      connections: 4,
    },
    { plugin, clock },
  )
  return {
    name: `webhook:${name}`,
    async deliver(delivery) {
      const { id, ...told } = alertOf(delivery)
      const body = JSON.stringify(told)
      const headers = { 'content-type': 'application/json', ...signedHeaders({ id, atMs: clock.now(), body }, secrets) }
      const reply = await egress.request(url, { method: 'POST', headers, body })
      const { status } = reply
      if (status >= 200 && status < 300) {
        reply.body.drain()
        return
      }
      reply.body.destroy()
      const wait = retryAfterMs(reply.headers, clock.now(), LONGEST_ASKED_MS)
      throw new SwitchyardError('UPSTREAM_REJECTED', `the webhook ${name} answered ${status}`, {
        plugin,
        ...(wait !== undefined && { retryAfterMs: wait }),
        details: { status },
      })
    },
    close: () => egress.close(),
  }
}
