import { type CallOptions, type Clock, SwitchyardError } from '@switchyard/contract'
import { abortError, throwIfAborted, toSwitchyardError } from './errors.ts'

/** Whether the caller was already told how its call ended; what goes on in several steps stops there. */
export interface Step {
  over: boolean
}

export interface GuardOptions {
  readonly clock: Pick<Clock, 'schedule'>
  readonly commandTimeoutMs: number
  readonly maxInFlight: number
}

/** Bounds of every call: its time, its signal, and how many there are. */
export interface Guard {
  /**
   * Runs `send` and hands on what it resolves with. Rejects at the abort of the signal, and with `UPSTREAM_UNAVAILABLE` once
   * `commandTimeoutMs` is up, without waiting for `send`, whose effect is unknown then; with `OVERLOADED` beyond `maxInFlight`;
   * with `CLOSED` after `close`. `longerMs` is what the call may take beyond that, where it waits for more than Redis.
   */
  run<T>(send: (step: Step) => Promise<T>, options: CallOptions | undefined, longerMs?: number): Promise<T>
  /** Ends what is under way, and all that comes. */
  close(): void
}

/** Makes the guard of one connection. */
export function guardOf({ clock, commandTimeoutMs, maxInFlight }: GuardOptions): Guard {
  const underWay = new Set<(error: SwitchyardError) => void>()
  let closed = false

  return {
    run(send, options, longerMs = 0) {
      if (closed) return Promise.reject(closedError())
      const signal = options?.signal
      try {
        throwIfAborted(options)
        if (underWay.size >= maxInFlight) throw overloaded(maxInFlight)
      } catch (error) {
        return Promise.reject(error)
      }
      return new Promise((resolve, reject) => {
        const step: Step = { over: false }
        const end = (): boolean => {
          if (step.over) return false
          step.over = true
          underWay.delete(fail)
          cancel()
          signal?.removeEventListener('abort', onAbort)
          return true
        }
        const fail = (error: SwitchyardError): void => {
          if (end()) reject(error)
        }
        const onAbort = (): void => fail(abortError(signal as AbortSignal))
        const cancel = clock.schedule(commandTimeoutMs + longerMs, () => fail(timedOut(commandTimeoutMs + longerMs)))
        signal?.addEventListener('abort', onAbort, { once: true })
        underWay.add(fail)
        send(step).then(
          (value) => {
            if (end()) resolve(value)
          },
          (error: unknown) => fail(toSwitchyardError(error)),
        )
      })
    },
    close() {
      closed = true
      for (const fail of [...underWay]) fail(closedError())
    },
  }
}

function closedError(): SwitchyardError {
  return new SwitchyardError('CLOSED', 'redis: the plugin is closed')
}

function timedOut(afterMs: number): SwitchyardError {
  const words = `redis: no reply within commandTimeoutMs, ${afterMs} ms; the command may have been carried out or not`
  return new SwitchyardError('UPSTREAM_UNAVAILABLE', words, {
    details: { vendorCode: 'ETIMEDOUT', commandTimeoutMs: afterMs },
  })
}

function overloaded(limit: number): SwitchyardError {
  const words = `redis: ${limit} calls are under way, which is maxInFlight; Redis is slow, or raise it`
  return new SwitchyardError('OVERLOADED', words, { details: { option: 'maxInFlight', limit, sent: false } })
}
