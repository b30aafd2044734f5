import { connect } from 'node:net'

export interface RawExchange {
  /** Undefined where no status line came. */
  readonly status: number | undefined
  readonly headers: Readonly<Record<string, string>>
  /** Bytes after the headers, as they stood on the wire. */
  readonly wire: Buffer
  /** The body with its chunked framing taken off, as far as it came. */
  readonly body: string
  /** Sizes of the chunks, without the last empty one. */
  readonly pieces: readonly number[]
  /** Whether the last empty chunk came. */
  readonly terminated: boolean
  /** `open`: neither end nor reset within the time. */
  readonly ending: 'end' | 'reset' | 'open'
  /** Ms to the first byte, and to the end. */
  readonly firstMs: number
  readonly totalMs: number
}

export interface RawRequest {
  readonly path?: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  /** Leave after so many ms. Default 2000. */
  readonly leaveMs?: number
}

/** One request over a bare socket, and exactly what came back. */
export function rawExchange(port: number, request: RawRequest = {}): Promise<RawExchange> {
  const { path = '/v1/chat/completions', method = 'POST', headers = {}, body, leaveMs = 2000 } = request
  const payload = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body ?? ''))
  const lines = Object.entries({ host: 'fake', connection: 'close', 'content-length': payload.length, ...headers })
  const head = `${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
  return new Promise((resolve) => {
    const began = performance.now()
    let firstMs = Number.NaN
    const got: Buffer[] = []
    const socket = connect(port, '127.0.0.1')
    socket.setNoDelay(true)
    socket.write(head)
    socket.write(payload)
    const finish = (ending: RawExchange['ending']): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ ...understood(Buffer.concat(got)), ending, firstMs, totalMs: performance.now() - began })
    }
    const timer = setTimeout(() => finish('open'), leaveMs)
    socket.on('data', (bytes) => {
      if (got.length === 0) firstMs = performance.now() - began
      got.push(bytes)
    })
    socket.on('end', () => finish('end'))
    socket.on('error', () => finish('reset'))
  })
}

/** A chat request's body. */
export function chat(extra: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return { model: 'gpt-fake', messages: [{ role: 'user', content: 'hi' }], ...extra }
}

/** The data of a stream's events, LF line ends. */
export function events(body: string): readonly string[] {
  return body
    .split('\n\n')
    .filter((block) => block.startsWith('data: '))
    .map((block) => block.slice(6))
}

type Understood = Omit<RawExchange, 'ending' | 'firstMs' | 'totalMs'>

function understood(all: Buffer): Understood {
  const split = all.subarray(0, 5).toString() === 'HTTP/' ? all.indexOf('\r\n\r\n') : -1
  const [first = '', ...lines] = (split < 0 ? '' : all.subarray(0, split).toString('latin1')).split('\r\n')
  const status = /^HTTP\/1\.1 (\d{3})/.exec(first)?.[1]
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  )
  const wire = split < 0 ? all : all.subarray(split + 4)
  const chunked = headers['transfer-encoding'] === 'chunked' ? unchunked(wire) : { body: wire, pieces: [], terminated: false }
  return { status: status === undefined ? undefined : Number(status), headers, wire, ...chunked, body: chunked.body.toString() }
}

function unchunked(wire: Buffer): { readonly body: Buffer; readonly pieces: readonly number[]; readonly terminated: boolean } {
  const parts: Buffer[] = []
  let at = 0
  for (;;) {
    const line = wire.indexOf('\r\n', at)
    const size = line < 0 ? Number.NaN : Number.parseInt(wire.subarray(at, line).toString('latin1'), 16)
    if (!(size > 0)) return { body: Buffer.concat(parts), pieces: parts.map(({ length }) => length), terminated: size === 0 }
    parts.push(wire.subarray(line + 2, line + 2 + size))
    at = line + 2 + size + 2
  }
}
