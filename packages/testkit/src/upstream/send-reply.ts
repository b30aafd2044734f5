import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Fault, find } from './faults.ts'
import { firstContent, middle } from './faulty-reply.ts'
import type { Recording } from './recorded.ts'
import type { WireReply } from './wire-reply.ts'

/** How a reply breaks off: what happens at the socket once so many bytes of the body are written. */
interface Cut {
  readonly how: 'stall' | 'reset' | 'end' | 'garbage'
  readonly afterBytes: number
}

/**
 * Writes a reply with the faults of timing and of the socket. Resolves when it is over, also where the client left;
 * `left` aborts when the socket is gone.
 */
export async function sendReply(
  response: ServerResponse,
  reply: WireReply,
  faults: readonly Fault[],
  record: Recording,
  left: AbortSignal,
): Promise<void> {
  try {
    if ((await beforeHeaders(response, faults, left)) === 'over') return
    await withBody(response, reply, faults, record, left)
  } catch (error) {
    if (!left.aborted && !isOfSocket(error)) throw error
  }
}

/** A write that the system refused tells of a client that left, before `close` does. */
function isOfSocket(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | undefined)?.syscall === 'write'
}

async function beforeHeaders(response: ServerResponse, faults: readonly Fault[], left: AbortSignal): Promise<'over' | 'go on'> {
  const socket = response.socket
  for (const fault of faults) {
    if (fault.kind === 'delay' && (fault.at === 'headers' || fault.at === 'accept')) {
      await sleep(fault.ms, undefined, { signal: left })
    } else if (fault.kind === 'stall' && fault.at === 'headers') {
      await gone(left)
      return 'over'
    } else if (fault.kind === 'reset' && (fault.at === 'headers' || fault.at === 'accept')) {
      socket?.resetAndDestroy()
      return 'over'
    } else if (fault.kind === 'end' && fault.at === 'headers') {
      socket?.end()
      return 'over'
    } else if (fault.kind === 'garbage' && fault.at === 'headers') {
      socket?.end('\u0000\u0001 this is not HTTP\r\n\r\n')
      return 'over'
    }
  }
  return 'go on'
}

async function withBody(
  response: ServerResponse,
  reply: WireReply,
  faults: readonly Fault[],
  record: Recording,
  left: AbortSignal,
): Promise<void> {
  const frames = reply.frames.map((frame) => Buffer.from(frame.text, frame.encoding))
  const total = frames.reduce((sum, frame) => sum + frame.length, 0)
  const cut = cutOf(reply, faults, total)
  const short = find(faults, 'short') !== undefined
  const endless = find(faults, 'endless')
  const stated = !reply.stream && cut?.how !== 'end' && cut?.how !== 'garbage' && endless === undefined
  response.writeHead(reply.status, {
    ...reply.headers,
    ...(stated ? { 'content-length': total + (short ? 64 : 0) } : {}),
  })
  response.flushHeaders()

  const split = find(faults, 'split')
  const write = async (bytes: Buffer): Promise<void> => {
    const size = split === undefined ? Math.max(1, bytes.length) : Math.max(1, split.bytes)
    for (let from = 0; from < bytes.length; from += size) {
      const piece = bytes.subarray(from, from + size)
      record.bytesWritten += piece.length
      await flushed(response, piece, left)
      if (split?.everyMs !== undefined) await sleep(split.everyMs, undefined, { signal: left })
    }
  }

  const first = firstContent(reply)
  const pause = pauses(faults)
  const pings = find(faults, 'pings')
  let pending = Buffer.alloc(0)
  let room = cut?.afterBytes ?? Number.POSITIVE_INFINITY
  for (const [index, frame] of frames.entries()) {
    const waitMs = index === first ? pause.firstMs : reply.frames[index]?.content ? pause.tokenMs : 0
    if (waitMs > 0) {
      await write(pending)
      pending = Buffer.alloc(0)
      await sleep(waitMs, undefined, { signal: left })
    }
    const allowed = frame.subarray(0, Math.min(frame.length, room))
    room -= allowed.length
    pending = pending.length === 0 ? allowed : Buffer.concat([pending, allowed])
    if (split === undefined || room <= 0) {
      await write(pending)
      pending = Buffer.alloc(0)
    }
    if (pings?.everyMs !== undefined && index < pings.count) await sleep(pings.everyMs, undefined, { signal: left })
    if (room <= 0) break
    if (endless !== undefined && index === middle(reply) - 1) await withoutEnd(write, frame, reply, endless.everyMs, left)
  }
  await write(pending)
  await finish(response, cut, short, left)
}

/** Repeats content until the client leaves: the last event of a stream, white space of a whole body. */
async function withoutEnd(
  write: (bytes: Buffer) => Promise<void>,
  frame: Buffer,
  reply: WireReply,
  everyMs: number,
  left: AbortSignal,
): Promise<never> {
  const again = reply.stream ? frame : Buffer.from(' ')
  for (;;) {
    await sleep(everyMs, undefined, { signal: left })
    await write(again)
  }
}

/**
 * What breaks at once may take with it what came before: a reset throws away what the peer has not read yet, and a relay between hands on
 * later than it reads.
 */
const BEFORE_BREAK_MS = 100

async function finish(response: ServerResponse, cut: Cut | undefined, short: boolean, left: AbortSignal): Promise<void> {
  const socket = response.socket
  const breaks = cut?.how === 'reset' || cut?.how === 'garbage'
  if (breaks && cut.afterBytes > 0) await sleep(BEFORE_BREAK_MS, undefined, { signal: left })
  if (cut?.how === 'stall') await gone(left)
  else if (cut?.how === 'reset') socket?.resetAndDestroy()
  else if (cut?.how === 'garbage') socket?.end('not-a-size\r\nrubbish\r\n')
  else if (short) socket?.end()
  else response.end()
}

function cutOf(reply: WireReply, faults: readonly Fault[], total: number): Cut | undefined {
  for (const fault of faults) {
    if (fault.kind !== 'stall' && fault.kind !== 'reset' && fault.kind !== 'end' && fault.kind !== 'garbage') continue
    if (fault.at === 'headers' || fault.at === 'accept') continue
    const { afterEvents, afterBytes } = fault.kind === 'garbage' ? {} : (fault as { afterEvents?: number; afterBytes?: number })
    if (afterBytes !== undefined) return { how: fault.kind, afterBytes: Math.min(afterBytes, total) }
    if (!reply.stream) return { how: fault.kind, afterBytes: fault.at === 'first' ? 0 : Math.floor(total / 2) }
    const frame = fault.at === 'first' ? firstContent(reply) : middle(reply, afterEvents)
    const before = reply.frames.slice(0, frame).reduce((sum, { text }) => sum + Buffer.byteLength(text), 0)
    return { how: fault.kind, afterBytes: before }
  }
  return undefined
}

function pauses(faults: readonly Fault[]): { readonly firstMs: number; readonly tokenMs: number } {
  let firstMs = 0
  let tokenMs = 0
  for (const fault of faults) {
    if (fault.kind === 'delay' && fault.at === 'first') firstMs += fault.ms
    if (fault.kind === 'delay' && fault.at === 'tokens') tokenMs += fault.ms
  }
  return { firstMs, tokenMs }
}

/** Writes and waits until the system took it, so that the next write is a packet of its own where the peer keeps up. */
function flushed(response: ServerResponse, bytes: Buffer, left: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onLeft = (): void => reject(left.reason)
    if (left.aborted) return onLeft()
    left.addEventListener('abort', onLeft, { once: true })
    response.write(bytes, (error) => {
      left.removeEventListener('abort', onLeft)
      if (error) reject(error)
      else setImmediate(resolve)
    })
  })
}

function gone(left: AbortSignal): Promise<void> {
  if (left.aborted) return Promise.resolve()
  return new Promise((resolve) => left.addEventListener('abort', () => resolve(), { once: true }))
}
