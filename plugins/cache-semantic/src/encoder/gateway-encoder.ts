import { type Clock, type Logger, SwitchyardError } from '@switchyard/contract'
import { breaker } from '../own-calls/breaker.ts'
import { isOfTheCaller, type Occasion, type OwnCalls } from '../own-calls/own-calls.ts'
import type { Destination } from '../own-calls/targets.ts'
import { checkedVector, type Encoder } from './encoder.ts'

export interface GatewayEncoderParts {
  readonly to: Destination
  readonly dimensions: number
  /** How long a look-up waits. */
  readonly timeoutMs: number
  readonly calls: OwnCalls
  readonly clock: Pick<Clock, 'monotonic'>
  readonly log: Pick<Logger, 'warn' | 'info'>
}

/** A vector that comes late is of use for what is stored: the call may take this many times as long as a look-up waits. */
const PATIENCE = 50
const OPEN_MS = 5_000
/** After the fixed sentences had no vectors, and after they had alike ones. */
const ASK_AGAIN_MS = 5_000
const DOUBT_MS = 600_000
/** Sentences that share nothing are further apart than this by any encoder worth the name. */
const ALIKE = 0.98

const SENTENCES: readonly string[] = Object.freeze([
  'how do i reset my password',
  'Wie wird das Wetter morgen in Boston?',
  'cancel the order of last Tuesday',
  'the boiling point of water at sea level',
])

/**
 * An encoder behind an OpenAI-compatible `embeddings` endpoint. Before its first vector it has to give unlike ones for a few fixed
 * sentences; until it does, and while it fails or is slow time and again, it is not ready.
 */
export function gatewayEncoder({ to, dimensions, timeoutMs, calls, clock, log }: GatewayEncoderParts): Encoder {
  const guard = breaker(clock, OPEN_MS)
  const id = `${to.model}@${dimensions}`
  let state: 'unknown' | 'asking' | 'trusted' = 'unknown'
  let askAgainAt = Number.NEGATIVE_INFINITY

  const vectorsOf = async (texts: readonly string[], occasion: Occasion): Promise<readonly Float32Array[]> => {
    const reply = await calls.ask(occasion, {
      purpose: 'embedding',
      endpoint: 'embeddings',
      to,
      body: { input: texts, dimensions, encoding_format: 'float' },
      timeoutMs: timeoutMs * PATIENCE,
    })
    return rowsOf(reply, texts.length).map((row) => checkedVector(row, dimensions))
  }

  const check = async (occasion: Occasion): Promise<void> => {
    state = 'asking'
    try {
      const vectors = await vectorsOf(SENTENCES, occasion)
      const alike = vectors.some((one, at) => vectors.slice(at + 1).some((other) => dot(one, other) > ALIKE))
      state = alike ? 'unknown' : 'trusted'
      if (!alike) return
      askAgainAt = clock.monotonic() + DOUBT_MS
      log.warn({ encoder: id }, 'the embedding model gives unlike sentences the same vector: likeness is off')
    } catch (error) {
      state = 'unknown'
      if (isOfTheCaller(error)) return
      askAgainAt = clock.monotonic() + (SwitchyardError.is(error, 'UPSTREAM_INVALID') ? DOUBT_MS : ASK_AGAIN_MS)
      log.warn({ encoder: id, error }, 'the embedding model could not be tried: likeness is off')
    }
  }

  return {
    id,
    dimensions,
    ready(occasion) {
      if (state === 'trusted') return guard.admits()
      if (state === 'unknown' && clock.monotonic() >= askAgainAt) void check(occasion)
      return false
    },
    encode: async (text, occasion) => (await vectorsOf([text], occasion))[0] as Float32Array,
    note(failure) {
      if (!isOfTheCaller(failure)) guard.note(failure === undefined)
    },
  }
}

function rowsOf(reply: unknown, count: number): readonly unknown[] {
  const data = (reply as { readonly data?: unknown } | null)?.data
  if (!Array.isArray(data) || data.length !== count) throw invalid(`it has not ${count} of them`)
  const rows = new Array<unknown>(count)
  for (const [at, row] of data.entries()) {
    const index = (row as { readonly index?: unknown } | null)?.index ?? at
    rows[index as number] = (row as { readonly embedding?: unknown } | null)?.embedding
  }
  return rows
}

function dot(one: Float32Array, other: Float32Array): number {
  let sum = 0
  for (let at = 0; at < one.length; at += 1) sum += (one[at] as number) * (other[at] as number)
  return sum
}

function invalid(wrong: string): SwitchyardError {
  return new SwitchyardError('UPSTREAM_INVALID', `a list of vectors is not as asked for: ${wrong}`, { retryable: false })
}
