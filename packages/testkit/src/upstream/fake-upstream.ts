import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { faultsOf, formatFault, parseFault } from './fault-text.ts'
import type { Fault, FaultInput } from './faults.ts'
import { faultyReply } from './faulty-reply.ts'
import { type Recorded, recorder } from './recorded.ts'
import { DEFAULT_MODELS, REDIRECTED, rightReply, splitModel, type UpstreamModel } from './right-reply.ts'
import { sendReply } from './send-reply.ts'
import { errorReply } from './wire-reply.ts'

/** Options of `startFakeUpstream`; all may be left out. */
export interface FakeUpstreamOptions {
  /** Default: any free one. */
  readonly port?: number
  /** What `GET /v1/models` lists; any other name is answered too. Default: `gpt-fake`, `embedding-fake`. */
  readonly models?: readonly string[]
  /** The answer to every chat, one content event each. Default: DEFAULT_TOKENS. */
  readonly tokens?: readonly string[]
  /** Its endpoints, as `chat/completions`; 404 at the others. Default: every endpoint of the model port. */
  readonly endpoints?: readonly string[]
  /**
   * Answers chats, messages and responses by what they ask, instead of with `tokens`: calls the tools that it may with arguments that
   * fit, repeats what they gave, fills a schema, names images, says back all else.
   */
  readonly attentive?: boolean
  /** Wait before headers. Default 0. */
  readonly delayMs?: number
  /** Wait before each content event but the first. Default 0. */
  readonly tokenDelayMs?: number
  /** Answer 401 to any other key, in `authorization: Bearer`, `x-api-key` or `api-key`. */
  readonly requireKey?: string
  /** How long an idle connection is kept. Default 60,000. */
  readonly keepAliveMs?: number
}

/** A model upstream that misbehaves on request and remembers what it saw. */
export interface FakeUpstream {
  /** `http://127.0.0.1:PORT/v1`: the base URL of an OpenAI client. */
  readonly url: string
  /** `http://127.0.0.1:PORT`. */
  readonly origin: string
  readonly port: number
  /** In the order their headers came. */
  readonly requests: readonly Recorded[]
  /** Connections taken so far, those reset at once among them. */
  readonly connections: number
  /** Adds to the queue: each entry is what the next request suffers that names no fault itself; `''` is none. */
  script(...faults: readonly FaultInput[]): void
  /** What requests suffer that name no fault when the queue is empty; undefined ends it. */
  always(fault: FaultInput | undefined): void
  /** The record at `index` once its exchange is over; waits for requests that have not come yet. */
  whenClosed(index: number): Promise<Recorded>
  /** Forgets requests, queue and `always`. Running replies go on. */
  clear(): void
  /** Drops all connections and stops listening. Idempotent. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Starts a real HTTP server on 127.0.0.1 that speaks each endpoint of the model port below `/v1`, whole and streamed, in its vendor's
 * dialect, and `GET /v1/models`. A request suffers the faults of its header `x-fault`, else those after `!` in its model
 * name (`gpt-fake!cut-mid-stream`, which a gateway in between lets pass), else the queue's next, else those of `always`.
 * The caller closes it.
 */
export async function startFakeUpstream(options: FakeUpstreamOptions = {}): Promise<FakeUpstream> {
  const log = recorder()
  const queue: (readonly Fault[])[] = []
  let standing: readonly Fault[] = []
  let connections = 0
  const sockets = new Set<Socket>()
  /** Connections that were already served late, so that the request is not delayed again. */
  const delayed = new WeakSet<Socket>()
  const model: UpstreamModel = {
    models: options.models ?? DEFAULT_MODELS,
    tokens: options.tokens,
    requireKey: options.requireKey,
    endpoints: options.endpoints,
    attentive: options.attentive ?? false,
  }
  const usual: readonly Fault[] = [
    ...(options.delayMs ? [{ kind: 'delay', at: 'headers', ms: options.delayMs } as const] : []),
    ...(options.tokenDelayMs ? [{ kind: 'delay', at: 'tokens', ms: options.tokenDelayMs } as const] : []),
  ]

  const server = createServer({ keepAliveTimeout: options.keepAliveMs ?? 60_000, requestTimeout: 0 })
  const [serve] = server.listeners('connection') as ((this: typeof server, socket: Socket) => void)[]
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    connections++
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    const faults = queue[0] ?? standing
    if (faults.some((fault) => fault.kind === 'reset' && fault.at === 'accept')) {
      queue.shift()
      socket.resetAndDestroy()
      return
    }
    const late = faults.find((fault) => fault.kind === 'delay' && fault.at === 'accept') as { ms: number } | undefined
    if (late === undefined) return serve?.call(server, socket)
    delayed.add(socket)
    const timer = setTimeout(() => serve?.call(server, socket), late.ms)
    socket.on('close', () => clearTimeout(timer))
  })
  server.on('request', (request, response) => {
    void answer(request, response)
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const record = log.add(request, now())
    const left = new AbortController()
    response.on('finish', () => {
      record.finishedAt = now()
    })
    let broken = false
    response.on('close', () => {
      record.closedAt = now()
      record.closedBeforeEnd = record.finishedAt === undefined && !broken
      left.abort(new Error('the client left'))
      log.close(record)
    })
    const body = await read(request)
    if (body === undefined) return
    record.rawBody = body
    record.body = await parsed(body, record.headers['content-type'])
    const { faults, problem } = chosen(record)
    const socket = response.socket
    const here =
      socket !== null && delayed.delete(socket) ? faults.filter((f) => !(f.kind === 'delay' && f.at === 'accept')) : faults
    record.fault = formatFault(here)
    broken = here.some(closesSocket)
    const right = problem ?? rightReply(record, here, model)
    const host = `http://127.0.0.1:${port}`
    const struck = record.path === REDIRECTED ? here.filter(({ kind }) => kind !== 'redirect') : here
    const reply = faultyReply(right, struck, {
      now: Date.now(),
      url: `${host}${record.path}`,
      elsewhere: `http://localhost:${port}${REDIRECTED}`,
      credential:
        record.headers.authorization?.replace(/^Bearer /i, '') ?? record.headers['x-api-key'] ?? record.headers['api-key'],
    })
    await sendReply(response, reply, [...here, ...usual], record, left.signal)
  }

  function chosen(record: Recorded): { readonly faults: readonly Fault[]; readonly problem?: ReturnType<typeof errorReply> } {
    const named = record.headers['x-fault'] ?? splitModel(record.body).fault
    if (named === undefined) return { faults: queue.shift() ?? standing }
    try {
      return { faults: parseFault(named) }
    } catch (error) {
      return { faults: [], problem: errorReply(400, (error as Error).message, 'invalid_request_error', 'unknown_fault') }
    }
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, '127.0.0.1', () => resolve())
  })
  const { port } = server.address() as AddressInfo
  const origin = `http://127.0.0.1:${port}`
  let closed: Promise<void> | undefined
  function close(): Promise<void> {
    closed ??= new Promise((resolve) => {
      server.close(() => resolve())
      for (const socket of sockets) socket.destroy()
    })
    return closed
  }

  return {
    url: `${origin}/v1`,
    origin,
    port,
    requests: log.requests,
    get connections() {
      return connections
    },
    script(...faults) {
      queue.push(...faults.map(entry))
    },
    always(fault) {
      standing = fault === undefined ? [] : entry(fault)
    },
    whenClosed: (index) => log.whenClosed(index),
    clear() {
      queue.length = 0
      standing = []
      log.clear()
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** Faults that close the socket from the upstream's side. */
function closesSocket(fault: Fault): boolean {
  if (fault.kind === 'short' || fault.kind === 'garbage' || fault.kind === 'reset') return true
  return fault.kind === 'end' && fault.at === 'headers'
}

function entry(input: FaultInput): readonly Fault[] {
  return input === '' ? [] : faultsOf(input)
}

function now(): number {
  return performance.timeOrigin + performance.now()
}

/** The whole body; undefined where the client left before its end. */
function read(request: IncomingMessage): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => resolve(Buffer.concat(chunks)))
    request.on('error', () => resolve(undefined))
    request.on('close', () => resolve(undefined))
  })
}

/** JSON, or the fields of a form with a file as its name and size; undefined for anything else. */
async function parsed(body: Buffer, contentType = ''): Promise<unknown> {
  try {
    if (!contentType.startsWith('multipart/form-data')) return JSON.parse(body.toString())
    const form = await new Response(new Uint8Array(body), { headers: { 'content-type': contentType } }).formData()
    return Object.fromEntries([...form].map(([name, value]) => [name, typeof value === 'string' ? value : described(value)]))
  } catch {
    return undefined
  }
}

function described({ name, size }: File): object {
  return { name, size }
}
