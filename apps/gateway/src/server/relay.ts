import type { ServerResponse } from 'node:http'
import type { ModelEndpoint } from '@switchyard/contract'
import { errorEvent } from '@switchyard/model-wire'

/**
 * Writes a stream to the client as it comes. A break after the first byte becomes an error event in the endpoint's dialect and the end
 * without its terminator, so a cut stream never looks like a finished one. A client that reads nothing for `slowClientTimeoutMs` is dropped.
 * Never rejects; leaving early breaks off `body`, which aborts the upstream.
 */
export async function relay(
  response: ServerResponse,
  body: AsyncIterable<Uint8Array>,
  slowClientTimeoutMs: number,
  endpoint: ModelEndpoint,
): Promise<void> {
  const source = body[Symbol.asyncIterator]()
  try {
    for (let step = await source.next(); step.done !== true; step = await source.next()) {
      if (response.destroyed || (!response.write(step.value) && !(await drained(response, slowClientTimeoutMs)))) {
        await source.return?.()
        response.destroy()
        return
      }
    }
    response.end()
  } catch (error) {
    if (!response.destroyed) response.end(errorEvent(endpoint, error))
  }
}

function drained(response: ServerResponse, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (ok: boolean): void => {
      clearTimeout(timer)
      response.off('drain', onDrain)
      response.off('close', onClose)
      resolve(ok)
    }
    const onDrain = (): void => settle(true)
    const onClose = (): void => settle(false)
    const timer = setTimeout(onClose, timeoutMs)
    response.once('drain', onDrain)
    response.once('close', onClose)
  })
}
