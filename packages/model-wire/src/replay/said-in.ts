import { isObject, textOf } from '../dialect/lenient.ts'

/** What a whole reply says, in any dialect. */
export interface Said {
  readonly text: string
  readonly calls: readonly { readonly name: unknown; readonly arguments: unknown }[]
}

/** Finish reasons of an answer that is all there, in any dialect. */
const WHOLE: ReadonlySet<string> = new Set([
  'stop',
  'end_turn',
  'tool_calls',
  'tool_use',
  'function_call',
  'completed',
  'stop_sequence',
])

/** Whether an answer that ended for this reason is all there: neither cut, nor refused, nor paused. */
export function isWholeReason(finishReason: string): boolean {
  return WHOLE.has(finishReason)
}

/** Text and calls of the one answer of a whole reply. Undefined where it refuses, where there are several, and for what is no reply. */
export function saidIn(body: unknown): Said | undefined {
  if (!isObject(body)) return undefined
  if (Array.isArray(body.choices)) return body.choices.length === 1 ? saidInChoice(body.choices[0]) : undefined
  const items = body.content ?? body.output
  return Array.isArray(items) ? saidInItems(items as readonly unknown[]) : undefined
}

function saidInChoice(choice: unknown): Said | undefined {
  if (!isObject(choice)) return undefined
  const { message } = choice
  if (!isObject(message)) return typeof choice.text === 'string' ? { text: choice.text, calls: [] } : undefined
  if (typeof message.refusal === 'string' && message.refusal !== '') return undefined
  const calls: unknown[] = Array.isArray(message.tool_calls) ? message.tool_calls : []
  return {
    text: textOf(message.content),
    calls: calls.map((call) => {
      const made = isObject(call) && isObject(call.function) ? call.function : undefined
      return { name: made?.name, arguments: made?.arguments }
    }),
  }
}

/** Blocks of `messages` and output items of `responses`. */
function saidInItems(items: readonly unknown[]): Said | undefined {
  let text = ''
  const calls: { name: unknown; arguments: unknown }[] = []
  for (const item of items) {
    if (!isObject(item)) continue
    switch (item.type) {
      case 'text':
      case 'output_text':
        text += textOf(item.text)
        break
      case 'tool_use':
        calls.push({ name: item.name, arguments: item.input })
        break
      case 'function_call':
        calls.push({ name: item.name, arguments: item.arguments })
        break
      case 'message': {
        const within = Array.isArray(item.content) ? saidInItems(item.content as readonly unknown[]) : undefined
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
