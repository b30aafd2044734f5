/**
 * Hands each item of a source that is still being opened to `take`, and waits where that gives a promise. Resolves at the source's end
 * and rejects where it or `take` throws. At the signal's abort it rejects with the reason at once, whatever the source does, and lets
 * go of it.
 */
export function each<T>(
  opening: Promise<AsyncIterable<T>>,
  take: (item: T) => Promise<void> | undefined,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let iterator: AsyncIterator<T> | undefined
    let over = false

    function letGo(): void {
      iterator?.return?.().catch(() => {})
    }
    function end(say: () => void): void {
      if (over) return
      over = true
      signal.removeEventListener('abort', onAbort)
      say()
    }
    function onAbort(): void {
      end(() => reject(signal.reason))
      letGo()
    }

    async function run(): Promise<void> {
      iterator = (await opening)[Symbol.asyncIterator]()
      if (over) return letGo()
      for (;;) {
        const { done, value } = await iterator.next()
        if (over) return
        if (done === true) return end(resolve)
        try {
          const wait = take(value)
          if (wait !== undefined) await wait
        } catch (error) {
          letGo()
          throw error
        }
        if (over) return
      }
    }

    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort)
    run().catch((error: unknown) => end(() => reject(error)))
  })
}
