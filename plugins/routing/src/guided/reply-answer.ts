import type { ModelEnding, ModelReply } from '@switchyard/contract'
import { type AnswerKind, canonicalAnswer, type OfferedFunction, passesSchema } from '../learned/index.ts'

/** What replies to one request are compared by. */
export interface Comparison {
  readonly kind: AnswerKind
  /** The request asks for JSON: a text that is none is no answer. */
  readonly json: boolean
  readonly offered: readonly OfferedFunction[]
}

type Json = Readonly<Record<string, unknown>>

/** Finish reasons of a whole answer, in any dialect. */
const WHOLE: ReadonlySet<string> = new Set([
  'stop',
  'end_turn',
  'tool_calls',
  'tool_use',
  'function_call',
  'completed',
  'stop_sequence',
])

/**
 * The canonical form of a reply's answer: equal texts mean the same answer. Undefined where no check may accept it: a stream, a reply
 * that was cut, refused or is not of the kind, or tool calls that the offered functions do not admit.
 */
export function answerOf(reply: Pick<ModelReply, 'body'>, ending: ModelEnding, comparison: Comparison): string | undefined {
  if (!(reply.body instanceof Uint8Array) || ending.outcome !== 'complete') return undefined
  if (ending.finishReason !== undefined && !WHOLE.has(ending.finishReason)) return undefined
  let body: unknown
  try {
    body = JSON.parse(Buffer.from(reply.body.buffer, reply.body.byteOffset, reply.body.byteLength).toString('utf8'))
  } catch {
    return undefined
  }
  const said = saidIn(body as Json)
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

interface Said {
  readonly text: string
  readonly calls: readonly { readonly name: unknown; readonly arguments: unknown }[]
}

function saidIn(body: Json | null): Said | undefined {
  if (Array.isArray(body?.choices)) return body.choices.length === 1 ? saidInChoice(body.choices[0] as Json) : undefined
  const items = body?.content ?? body?.output
  return Array.isArray(items) ? saidInItems(items as readonly (Json | null)[]) : undefined
}

function saidInChoice(choice: Json | null): Said | undefined {
  const message = choice?.message as Json | null | undefined
  if (message == null) return typeof choice?.text === 'string' ? { text: choice.text, calls: [] } : undefined
  if (typeof message.refusal === 'string' && message.refusal !== '') return undefined
  const calls = Array.isArray(message.tool_calls) ? (message.tool_calls as (Json | null)[]) : []
  return {
    text: typeof message.content === 'string' ? message.content : '',
    calls: calls.map((call) => {
      const made = call?.function as Json | undefined
      return { name: made?.name, arguments: made?.arguments }
    }),
  }
}

/** Blocks of `messages` and output items of `responses`. */
function saidInItems(items: readonly (Json | null)[]): Said | undefined {
  let text = ''
  const calls: { name: unknown; arguments: unknown }[] = []
  for (const item of items) {
    switch (item?.type) {
      case 'text':
      case 'output_text':
        text += typeof item.text === 'string' ? item.text : ''
        break
      case 'tool_use':
        calls.push({ name: item.name, arguments: item.input })
        break
      case 'function_call':
        calls.push({ name: item.name, arguments: item.arguments })
        break
      case 'message': {
        const within = Array.isArray(item.content) ? saidInItems(item.content as readonly (Json | null)[]) : undefined
        if (within === undefined) return undefined
        text += within.text
        break
      }
      case 'refusal':
        return undefined
      default:
    }
  }
  return { text, calls }
}

function sorted(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sorted).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${sorted(item)}`).join(',')}}`
}
