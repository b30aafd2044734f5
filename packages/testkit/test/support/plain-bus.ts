import { type Bus, SwitchyardError } from '@switchyard/contract'

/** The port in the plainest way: a list of subscriptions, walked a turn later. */
export function plainBus(): Bus {
  const subscriptions: { readonly topic: string; readonly listener: (message: Uint8Array) => void; open: boolean }[] = []
  const begin = (topic: string, signal: AbortSignal | undefined): void => {
    if (signal?.aborted) throw new SwitchyardError('ABORTED', 'aborted before it began')
    if (topic === '') throw new SwitchyardError('INVALID_REQUEST', 'a topic must not be empty')
  }
  return {
    capabilities: { shared: false },
    async publish(topic, message, options) {
      begin(topic, options?.signal)
      const bytes = new Uint8Array(message)
      const listening = subscriptions.filter((one) => one.open && one.topic === topic)
      setImmediate(() => {
        for (const one of listening) {
          try {
            if (one.open) one.listener(bytes.slice())
          } catch {
            // a listener's own affair
          }
        }
      })
    },
    async subscribe(topic, listener, options) {
      begin(topic, options?.signal)
      const own = { topic, listener, open: true }
      subscriptions.push(own)
      return async () => {
        own.open = false
      }
    },
  }
}
