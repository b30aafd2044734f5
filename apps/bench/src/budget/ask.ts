import { request } from 'undici'
import type { LoadCall } from './load.ts'

/**
 * Sends a call to the upstream; resolves when its reply has begun. `ended` resolves at its end with whether it was whole, and rejects
 * where the signal aborts or the connection breaks; `onTokens` is told of what comes.
 */
export async function ask(
  url: string,
  call: LoadCall,
  signal: AbortSignal,
  onTokens: (tokens: number) => void,
): Promise<{ readonly ended: Promise<boolean> }> {
  const { body } = await request(url, { method: 'POST', body: JSON.stringify(call), signal })
  const read = async (): Promise<boolean> => {
    let text = ''
    for await (const part of body) {
      text += (part as Buffer).toString('utf8')
      const lines = text.split('\n')
      text = lines.pop() as string
      for (const line of lines) {
        const { tokens, end } = JSON.parse(line) as { tokens: number; end?: true }
        onTokens(tokens)
        if (end === true) return true
      }
    }
    return false
  }
  return { ended: read() }
}
