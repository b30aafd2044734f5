import { type Draft, isRecord, type Json } from './exact-json.ts'
import type { Cut } from './pieces.ts'

/** Lists of parts that an item has, and what their events are called. */
interface Parts {
  readonly list: 'content' | 'summary'
  readonly added: string
  readonly done: string
  readonly index: string
}

const CONTENT: Parts = {
  list: 'content',
  added: 'response.content_part.added',
  done: 'response.content_part.done',
  index: 'content_index',
}
const SUMMARY: Parts = {
  list: 'summary',
  added: 'response.reasoning_summary_part.added',
  done: 'response.reasoning_summary_part.done',
  index: 'summary_index',
}
/** Types of parts that hold one text, the events that say it, and the field that it is in. */
const TEXTS: Readonly<Record<string, { readonly event: string; readonly field: string }>> = {
  output_text: { event: 'response.output_text', field: 'text' },
  refusal: { event: 'response.refusal', field: 'refusal' },
  reasoning_text: { event: 'response.reasoning_text', field: 'text' },
  summary_text: { event: 'response.reasoning_summary_text', field: 'text' },
}
/** Items whose one text stands beside their name. */
const CALLS: Readonly<Record<string, { readonly event: string; readonly field: string }>> = {
  function_call: { event: 'response.function_call_arguments', field: 'arguments' },
  custom_tool_call: { event: 'response.custom_tool_call_input', field: 'input' },
}

/** The numbered events of a response. */
export function streamOfResponses(body: Json, cut: Cut): readonly Json[] | undefined {
  if (!Array.isArray(body.output)) return undefined
  const events: Json[] = []
  const send = (type: string, fields: Json): void => {
    events.push({ type, sequence_number: events.length, ...fields })
  }
  const begun: Draft = { ...body, status: 'in_progress', output: [], usage: null }
  if (body.incomplete_details !== undefined) begun.incomplete_details = null
  if (body.completed_at !== undefined) begun.completed_at = null
  send('response.created', { response: begun })
  send('response.in_progress', { response: begun })
  for (const [output_index, item] of (body.output as unknown[]).entries()) {
    if (!isRecord(item)) return undefined
    say(item, output_index, send, cut)
  }
  send(body.status === 'incomplete' ? 'response.incomplete' : 'response.completed', { response: body })
  return events
}

function say(item: Json, output_index: number, send: (type: string, fields: Json) => void, cut: Cut): void {
  const place = { item_id: item.id, output_index }
  const call = CALLS[String(item.type)]
  const begun: Draft = { ...item }
  if (item.status !== undefined) begun.status = 'in_progress'
  if (call !== undefined) begun[call.field] = ''
  for (const { list } of [SUMMARY, CONTENT]) if (Array.isArray(item[list])) begun[list] = []
  send('response.output_item.added', { output_index, item: begun })
  if (call !== undefined) {
    const { [call.field]: text, name } = item
    if (typeof text === 'string' && text !== '') send(`${call.event}.delta`, { ...place, delta: text })
    send(`${call.event}.done`, { ...place, ...(item.type === 'function_call' && { name }), [call.field]: text })
  }
  for (const parts of [SUMMARY, CONTENT]) {
    const list: unknown = item[parts.list]
    if (!Array.isArray(list)) continue
    for (const [at, part] of (list as unknown[]).entries())
      if (isRecord(part)) sayPart(part, { ...place, [parts.index]: at }, parts, send, cut)
  }
  send('response.output_item.done', { output_index, item })
}

function sayPart(part: Json, place: Json, parts: Parts, send: (type: string, fields: Json) => void, cut: Cut): void {
  const words = TEXTS[String(part.type)]
  if (words === undefined) {
    send(parts.added, { ...place, part })
    send(parts.done, { ...place, part })
    return
  }
  const { event, field } = words
  const text = typeof part[field] === 'string' ? (part[field] as string) : ''
  const isAnswer = part.type === 'output_text'
  const annotations: unknown[] = isAnswer && Array.isArray(part.annotations) ? part.annotations : []
  const logprobs = isAnswer && { logprobs: Array.isArray(part.logprobs) ? part.logprobs : [] }
  const begun: Draft = { ...part, [field]: '' }
  if (Array.isArray(part.annotations)) begun.annotations = []
  if (Array.isArray(part.logprobs)) begun.logprobs = []
  send(parts.added, { ...place, part: begun })
  const pieces = isAnswer ? cut(text) : text === '' ? [] : [text]
  for (const [at, delta] of pieces.entries())
    send(`${event}.delta`, { ...place, delta, ...(isAnswer && { logprobs: at === 0 && logprobs ? logprobs.logprobs : [] }) })
  for (const [annotation_index, annotation] of annotations.entries())
    send('response.output_text.annotation.added', { ...place, annotation_index, annotation })
  send(`${event}.done`, { ...place, [field]: text, ...logprobs })
  send(parts.done, { ...place, part })
}
