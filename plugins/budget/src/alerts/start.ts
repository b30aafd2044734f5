import type { Clock, Logger, SqlDatabase } from '@switchyard/contract'
import type { Dialect } from '../ledger/schema.ts'
import { repeat } from '../repeat.ts'
import { AnomalyWatch } from './anomaly-watch.ts'
import { Courier } from './courier.ts'
import { Deliveries } from './deliveries.ts'
import type { AlertOptions, AnomalyOptions } from './options.ts'
import { type BudgetAlert, eventSink, logSink, webhookSink } from './sinks.ts'

export interface AlertParts {
  readonly plugin: string
  readonly node: string
  readonly database: SqlDatabase
  readonly dialect: Dialect
  readonly clock: Clock
  readonly random: () => number
  readonly log: Logger
  readonly options: AlertOptions
  readonly anomalies: AnomalyOptions
  readonly emit: (alert: BudgetAlert) => void
  readonly onClose: (release: () => void | Promise<void>) => void
}

/** Starts to deliver what stands in the outbox, and to look for anomalies. Returns what to call when an alert was written down. */
export async function startAlerts(parts: AlertParts): Promise<() => void> {
  const { plugin, node, database, dialect, clock, random, log, options, anomalies, emit, onClose } = parts
  const deliveries = new Deliveries(database, dialect, node)
  await deliveries.open()
  const sinks = [
    ...(options.log ? [logSink(log)] : []),
    eventSink(emit),
    ...options.webhooks.map((webhook) => webhookSink(webhook, { plugin, clock, timeoutMs: options.timeoutMs })),
  ]
  const courier = new Courier({ deliveries, sinks, clock, random, log, options })
  onClose(() => courier.close())
  const timing = { clock, random }
  onClose(repeat(options.pollMs, () => courier.run(), timing))
  if (anomalies.enabled) {
    const watch = new AnomalyWatch({ database, dialect, clock, options: anomalies })
    const look = async (): Promise<void> => {
      try {
        if ((await watch.look()) > 0) await courier.run()
      } catch (error) {
        log.warn({ error }, 'anomalies cannot be looked for; it is tried again')
      }
    }
    onClose(repeat(anomalies.everyMs, look, timing))
  }
  return () => void courier.run()
}
