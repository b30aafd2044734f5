import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { UpdateInput } from '../../src/catalog/options.ts'

export interface Answer {
  readonly status: number
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface FeedServer {
  readonly url: string
  readonly requests: readonly { readonly path: string; readonly etag: string | undefined }[]
  /** What each path answers; 404 where none is set. */
  readonly answers: Map<string, Answer | 'hang'>
  /** Answers 200, and 304 to whoever has the ETag. */
  serve(path: string, content: unknown, etag?: string): void
  close(): void
}

/** A real HTTP server in the place of the public feeds. */
export async function feedServer(): Promise<FeedServer> {
  const requests: { path: string; etag: string | undefined }[] = []
  const answers = new Map<string, Answer | 'hang'>()
  const server = createServer((request: IncomingMessage, response) => {
    const path = request.url ?? ''
    requests.push({ path, etag: request.headers['if-none-match'] })
    const answer = answers.get(path) ?? { status: 404 }
    if (answer === 'hang') return
    const same = answer.headers?.etag !== undefined && answer.headers.etag === request.headers['if-none-match']
    response.writeHead(same ? 304 : answer.status, answer.headers).end(same ? undefined : answer.body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    answers,
    serve(path, content, etag) {
      answers.set(path, { status: 200, body: JSON.stringify(content), ...(etag !== undefined && { headers: { etag } }) })
    },
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** models.dev's shape: prices of `acme`, in USD per million tokens. */
export function modelsDev(prices: Readonly<Record<string, number>>): object {
  const models = Object.entries(prices).map(([id, input]) => [
    id,
    { id, modalities: { input: ['text'], output: ['text'] }, limit: { context: 9_000 }, cost: { input, output: input } },
  ])
  return { acme: { id: 'acme', models: Object.fromEntries(models) } }
}

/** Portkey's shape: one model of a provider, in US cents a token. */
export function portkeyPricing(model: string, cents: number): object {
  const price = { price: cents }
  return { [model]: { pricing_config: { pay_as_you_go: { request_token: price, response_token: price } } } }
}

/** Every feed off, to switch some on. */
export const NO_FEEDS = { portkeyPricing: false, portkeyGeneral: false, modelsDev: false, liteLlm: false } as const

/** Settings of an update from this server: by default the feed of models.dev alone, at `/dev`. */
export function updateFrom(
  { url }: FeedServer,
  urls: UpdateInput['urls'] = { ...NO_FEEDS, modelsDev: `${url}/dev` },
): UpdateInput {
  return { enabled: true, hosts: ['127.0.0.1'], allow: ['127.0.0.1/32'], urls }
}
