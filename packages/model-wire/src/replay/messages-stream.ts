import { type Draft, isRecord, type Json } from './exact-json.ts'
import type { Cut } from './pieces.ts'

/** The events of a reply of `messages`. */
export function streamOfMessages(body: Json, cut: Cut): readonly Json[] | undefined {
  if (!Array.isArray(body.content)) return undefined
  const { content, stop_reason, stop_sequence, usage, ...message } = body
  const begun: Draft = { ...message, content: [], stop_reason: null, stop_sequence: null }
  // As Anthropic tells it: what went in, and that the output has begun.
  if (isRecord(usage)) begun.usage = { ...usage, output_tokens: 0 }
  const events: Json[] = [{ type: 'message_start', message: begun }]
  for (const [index, block] of (content as unknown[]).entries()) {
    if (!isRecord(block)) return undefined
    const { start, deltas } = spread(block, cut)
    events.push({ type: 'content_block_start', index, content_block: start })
    for (const delta of deltas) events.push({ type: 'content_block_delta', index, delta })
    events.push({ type: 'content_block_stop', index })
  }
  const delta: Draft = { stop_reason: stop_reason ?? null }
  if (stop_sequence !== undefined) delta.stop_sequence = stop_sequence
  events.push({ type: 'message_delta', delta, ...(isRecord(usage) && { usage }) })
  events.push({ type: 'message_stop' })
  return events
}

function spread(block: Json, cut: Cut): { readonly start: Json; readonly deltas: readonly Json[] } {
  if (block.type === 'text' && typeof block.text === 'string') {
    const cited: unknown[] = Array.isArray(block.citations) ? block.citations : []
    const start = { ...block, text: '', ...(cited.length > 0 && { citations: [] }) }
    const citations = cited.map((citation) => ({ type: 'citations_delta', citation }))
    return { start, deltas: [...cut(block.text).map((text) => ({ type: 'text_delta', text })), ...citations] }
  }
  if (block.type === 'thinking' && typeof block.thinking === 'string') {
    const { thinking, signature } = block
    const deltas: Json[] = thinking === '' ? [] : [{ type: 'thinking_delta', thinking }]
    if (typeof signature === 'string' && signature !== '') deltas.push({ type: 'signature_delta', signature })
    return { start: { ...block, thinking: '', ...(typeof signature === 'string' && { signature: '' }) }, deltas }
  }
  if (isRecord(block.input)) {
    const partial_json = JSON.stringify(block.input)
    const deltas = partial_json === '{}' ? [] : [{ type: 'input_json_delta', partial_json }]
    return { start: { ...block, input: {} }, deltas }
  }
  return { start: block, deltas: [] }
}
