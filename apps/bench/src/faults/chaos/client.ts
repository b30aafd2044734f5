import { Agent, request } from 'undici'
import { judgeStream, judgeWhole, type Seen, type Sight } from '../client.ts'

/** What became of one request of the load. */
export interface Sample extends Sight {
  /** When it was due, in epoch ms. */
  readonly at: number
  readonly stream: boolean
  /** From when it was due to the first content, or to the whole reply where it is not streamed. */
  readonly firstMs: number
  /** By the gateway's own word; undefined where it gave none. */
  readonly attempts: number | undefined
  /** Content had come before it ended. */
  readonly content: boolean
}

export interface ChaosClient {
  send(at: number, stream: boolean): Promise<Sample>
  close(): Promise<void>
}

/** A client of the gateway that opens as many connections as it needs. `limitMs` is its patience for a whole reply. */
export function chaosClient(origin: string, model: string, limitMs: number): ChaosClient {
  const agent = new Agent({ connections: 4_096, headersTimeout: 0, bodyTimeout: 0 })
  const url = `${origin}/v1/chat/completions`
  const bodies = new Map(
    [false, true].map((stream) => [stream, JSON.stringify({ model, stream, messages: [{ role: 'user', content: 'Hello' }] })]),
  )
  return {
    async send(at, stream) {
      const controller = new AbortController()
      const timer = setTimeout(() => controller.abort(), limitMs)
      let firstAt: number | undefined
      let attempts: number | undefined
      let text = ''
      const sample = (sight: Sight): Sample => {
        const firstMs = (firstAt ?? now()) - at
        return { at, stream, attempts, firstMs, content: stream && hasContent(text), ...sight }
      }
      try {
        const { statusCode, headers, body } = await request(url, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: bodies.get(stream) as string,
          signal: controller.signal,
          dispatcher: agent,
        })
        attempts = Number(headers['x-switchyard-attempts'] ?? Number.NaN)
        for await (const chunk of body as AsyncIterable<Buffer>) {
          if (stream) firstAt ??= now()
          text += chunk.toString('latin1')
        }
        if (statusCode >= 400) return sample({ seen: 'error-status', detail: `${statusCode} ${codeOf(text)}` })
        return sample(stream ? judgeStream(text) : judgeWhole(text))
      } catch (error) {
        const seen: Seen = controller.signal.aborted ? 'hung' : 'connection-cut'
        return sample({ seen, detail: controller.signal.aborted ? `after ${limitMs} ms` : (error as Error).message })
      } finally {
        clearTimeout(timer)
      }
    },
    close: () => agent.destroy(),
  }
}

/** Epoch ms with fractions, as the upstreams record them. */
export function now(): number {
  return performance.timeOrigin + performance.now()
}

/** Whether a stream gave any content before it ended. */
export function hasContent(text: string): boolean {
  return /"content":"[^"]/.test(text)
}

function codeOf(text: string): string {
  return /"code":"([^"]*)"/.exec(text)?.[1] ?? /"type":"([^"]*)"/.exec(text)?.[1] ?? ''
}
