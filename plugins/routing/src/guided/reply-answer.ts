import type { ModelEnding, ModelReply } from '@switchyard/contract'
import { isWholeReason, saidIn } from '@switchyard/model-wire'
import { type AnswerKind, canonicalAnswer, type OfferedFunction, passesSchema } from '../learned/index.ts'

/** What replies to one request are compared by. */
export interface Comparison {
  readonly kind: AnswerKind
  /** The request asks for JSON: a text that is none is no answer. */
  readonly json: boolean
  readonly offered: readonly OfferedFunction[]
}

/**
 * The canonical form of a reply's answer: equal texts mean the same answer. Undefined where no check may accept it: a stream, a reply
 * that was cut, refused or is not of the kind, or tool calls that the offered functions do not admit.
 */
export function answerOf(reply: Pick<ModelReply, 'body'>, ending: ModelEnding, comparison: Comparison): string | undefined {
  if (!(reply.body instanceof Uint8Array) || ending.outcome !== 'complete') return undefined
  if (ending.finishReason !== undefined && !isWholeReason(ending.finishReason)) return undefined
  let body: unknown
  try {
    body = JSON.parse(Buffer.from(reply.body.buffer, reply.body.byteOffset, reply.body.byteLength).toString('utf8'))
  } catch {
    return undefined
  }
  const said = saidIn(body)
  if (said === undefined) return undefined
  const { kind, json, offered } = comparison
  if (kind === 'call') {
    if (said.calls.length === 0) return undefined
    const calls = JSON.stringify(said.calls)
    return offered.length === 0 || passesSchema(calls, offered) ? canonicalAnswer('call', calls) : undefined
  }
  if (said.calls.length > 0) return undefined
  if (!json) return canonicalAnswer(kind, said.text)
  try {
    return sorted(JSON.parse(said.text))
  } catch {
    return undefined
  }
}

function sorted(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sorted).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${sorted(item)}`).join(',')}}`
}
