import { type ModelEnding, type ModelReply, SwitchyardError } from '@switchyard/contract'

/** What a reply is, before its body. */
export interface Head {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly stream: boolean
  /** A cache further up gave it: how old it is, and whose question it answered, nobody here knows. */
  readonly cached?: true
}

/** Headers that are worth keeping; all else is of the one call that was answered. */
export const DEGRADED = 'x-switchyard-degraded'
const KEPT = ['content-type', 'x-switchyard-simulated', DEGRADED] as const

/**
 * A frame that begins with this byte is none of the body, or has it as an escape in front: neither events nor JSON begin with it, so that
 * bodies are not copied.
 */
const MARK = 0
const ESCAPED = 0
const HEAD = 1
const END = 2

export type FrameKind = 'head' | 'body' | 'end'

export function frameKind(frame: Uint8Array): FrameKind {
  if (frame[0] !== MARK) return 'body'
  return frame[1] === HEAD ? 'head' : frame[1] === END ? 'end' : 'body'
}

/** The bytes of a frame of the body. */
export function bodyIn(frame: Uint8Array): Uint8Array {
  return frame[0] === MARK ? frame.subarray(2) : frame
}

/** Throws `UPSTREAM_INVALID` for what is no such frame. */
export function headIn(frame: Uint8Array): Head {
  const head = frameKind(frame) === 'head' ? jsonIn(frame) : undefined
  if (head === undefined || typeof head.status !== 'number' || typeof head.headers !== 'object') throw noFrame()
  return head as unknown as Head
}

/** Throws `UPSTREAM_INVALID` for what is no such frame. */
export function endIn(frame: Uint8Array): ModelEnding {
  const ending = frameKind(frame) === 'end' ? jsonIn(frame) : undefined
  if (ending === undefined || typeof ending.outcome !== 'string') throw noFrame()
  return ending as unknown as ModelEnding
}

export function noFrame(): SwitchyardError {
  const message = 'cache: a shared reply is none; nodes of a fleet must run versions of @switchyard/cache that agree'
  return new SwitchyardError('UPSTREAM_INVALID', message)
}

/** Frames of a reply: its head, its body as it comes, and how it ended, the last also where it broke off. To be iterated once. */
export function framesOf(reply: ModelReply): AsyncIterableIterator<Uint8Array> {
  return new ReplyFrames(reply)
}

const DONE: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined })

/** No generator: breaking off one that waits for the upstream would wait with it. */
class ReplyFrames implements AsyncIterableIterator<Uint8Array> {
  readonly #reply: ModelReply
  #source: AsyncIterator<Uint8Array> | undefined
  #at: 'head' | 'body' | 'end' | 'failed' | 'over' = 'head'
  #failure: unknown

  constructor(reply: ModelReply) {
    this.#reply = reply
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    switch (this.#at) {
      case 'head':
        this.#at = 'body'
        return { done: false, value: headFrame(this.#reply) }
      case 'body':
        return this.#readBody()
      case 'end':
        return this.#readEnd()
      case 'failed':
        this.#at = 'over'
        throw this.#failure
      case 'over':
        return DONE
    }
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    const begun = this.#at === 'head' || this.#at === 'body'
    this.#at = 'over'
    const { body } = this.#reply
    if (begun && !(body instanceof Uint8Array)) {
      this.#source ??= body[Symbol.asyncIterator]()
      await this.#source.return?.()
    }
    return DONE
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async #readBody(): Promise<IteratorResult<Uint8Array>> {
    const { body } = this.#reply
    if (body instanceof Uint8Array) {
      this.#at = 'end'
      return { done: false, value: bodyFrame(body) }
    }
    this.#source ??= body[Symbol.asyncIterator]()
    try {
      const { done, value } = await this.#source.next()
      if (done !== true) return { done: false, value: bodyFrame(value) }
    } catch (error) {
      this.#failure = error
    }
    // Broken off meanwhile.
    if ((this.#at as string) === 'over') return DONE
    this.#at = 'end'
    return this.#readEnd()
  }

  async #readEnd(): Promise<IteratorResult<Uint8Array>> {
    const ending = await this.#reply.ended
    this.#failure ??= ending.outcome === 'complete' ? undefined : (ending.error ?? brokenOff())
    this.#at = this.#failure === undefined ? 'over' : 'failed'
    return { done: false, value: controlFrame(END, withoutError(ending)) }
  }
}

function brokenOff(): SwitchyardError {
  return new SwitchyardError('UPSTREAM_TRUNCATED', 'cache: the reply broke off')
}

/** The error is thrown behind the frame. */
function withoutError({ error: _, ...ending }: ModelEnding): object {
  return ending
}

/** Portkey's HIT and SEMANTIC HIT, and another Switchyard's hits. */
function isOfCache(headers: ModelReply['headers']): boolean {
  return headers['x-switchyard-cache'] === 'hit' || /\bHIT$/.test(headers['x-portkey-cache-status'] ?? '')
}

function headFrame({ status, headers, body }: ModelReply): Uint8Array {
  const kept: Record<string, string> = {}
  for (const name of KEPT) if (headers[name] !== undefined) kept[name] = headers[name]
  const cached = isOfCache(headers) ? { cached: true } : {}
  return controlFrame(HEAD, { status, headers: kept, stream: !(body instanceof Uint8Array), ...cached })
}

function bodyFrame(chunk: Uint8Array): Uint8Array {
  return chunk[0] === MARK ? Buffer.concat([Buffer.of(MARK, ESCAPED), chunk]) : chunk
}

function controlFrame(kind: typeof HEAD | typeof END, value: object): Uint8Array {
  return Buffer.concat([Buffer.of(MARK, kind), Buffer.from(JSON.stringify(value))])
}

function jsonIn(frame: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(frame.buffer, frame.byteOffset + 2, frame.byteLength - 2).toString('utf8'))
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined
  } catch {
    return undefined
  }
}
