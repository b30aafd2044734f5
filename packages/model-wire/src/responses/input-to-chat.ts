import { type Fields, invalid } from '../dialect/fields.ts'

type Part = Record<string, unknown>
type Message = Record<string, unknown>

/**
 * The input's items as chat messages. What an assistant said, reasoned and called in one turn are items of their own here and one
 * message there. `developer` becomes `system`, which every chat target knows and OpenAI's models hear alike.
 */
export function inputToChat(fields: Fields): Message[] {
  const input = fields.get('input')
  if (typeof input === 'string') return [{ role: 'user', content: input }]
  if (input === undefined) throw invalid('input', 'is required')
  const turns = new Turns()
  fields.each('input', (item) => readItem(item, turns))
  const messages = turns.end()
  if (messages.length === 0) throw invalid('input', 'must hold at least one item')
  return messages
}

class Turns {
  private readonly messages: Message[] = []
  private assistant: { content: string; reasoning: string; calls: unknown[] } | undefined = undefined

  say(content: string): void {
    // A second message of an assistant is a turn of its own, unless it only called or reasoned so far.
    if (this.assistant !== undefined && (this.assistant.content !== '' || this.assistant.calls.length > 0)) this.close()
    this.turn().content = content
  }

  reason(text: string): void {
    if (this.assistant !== undefined && (this.assistant.content !== '' || this.assistant.calls.length > 0)) this.close()
    this.turn().reasoning += text
  }

  call(call: unknown): void {
    this.turn().calls.push(call)
  }

  add(message: Message): void {
    this.close()
    this.messages.push(message)
  }

  end(): Message[] {
    this.close()
    return this.messages
  }

  private turn(): { content: string; reasoning: string; calls: unknown[] } {
    this.assistant ??= { content: '', reasoning: '', calls: [] }
    return this.assistant
  }

  private close(): void {
    if (this.assistant === undefined) return
    const { content, reasoning, calls } = this.assistant
    this.assistant = undefined
    // Reasoning that nothing came of is no message.
    if (content === '' && calls.length === 0 && reasoning !== '') return
    this.messages.push({
      role: 'assistant',
      content: content === '' && calls.length > 0 ? null : content,
      ...(reasoning !== '' && { reasoning_content: reasoning }),
      ...(calls.length > 0 && { tool_calls: calls }),
    })
  }
}

function readItem(item: Fields, turns: Turns): void {
  const type = item.text('type') ?? 'message'
  // What the API calls an item, and whether it was finished, matters to a response that is stored.
  item.get('id')
  item.get('status')
  if (type === 'message') readMessage(item, turns)
  else if (type === 'function_call') turns.call(readCall(item))
  else if (type === 'function_call_output')
    turns.add({ role: 'tool', tool_call_id: item.needText('call_id'), content: outputText(item) })
  else if (type === 'reasoning') turns.reason(readReasoning(item))
  else if (type === 'item_reference')
    throw item.unsupported('type', 'nothing is stored, so send the item itself (store: false)')
  else throw item.unsupported('type')
  item.end()
}

function readMessage(item: Fields, turns: Turns): void {
  const role = item.needText('role')
  item.hint('phase')
  if (role === 'assistant') turns.say(assistantText(item))
  else if (role === 'user') turns.add({ role, content: content(item, 'content', inputPart) })
  else if (role === 'system' || role === 'developer') turns.add({ role: 'system', content: content(item, 'content', textPart) })
  else throw item.unsupported('role')
}

function content(item: Fields, name: string, read: (part: Fields) => Part): string | Part[] {
  const given = item.get(name)
  if (typeof given === 'string') return given
  const parts = item.each(name, read)
  if (parts === undefined) throw invalid(item.at(name), 'is required')
  const [only] = parts
  return parts.length === 1 && only?.type === 'text' ? (only.text as string) : parts
}

function inputPart(part: Fields): Part {
  const type = part.needText('type')
  if (type === 'input_image') return imagePart(part)
  if (type === 'input_file') return filePart(part)
  return textPart(part)
}

function textPart(part: Fields): Part {
  if (part.needText('type') !== 'input_text') throw part.unsupported('type')
  const text = part.needText('text')
  part.hint('prompt_cache_breakpoint')
  part.end()
  return { type: 'text', text }
}

function imagePart(part: Fields): Part {
  const url = part.text('image_url')
  if (url === undefined) throw part.unsupported('file_id', 'send image_url')
  const detail = part.text('detail')
  part.hint('prompt_cache_breakpoint')
  part.end()
  return { type: 'image_url', image_url: { url, ...(detail !== undefined && { detail }) } }
}

function filePart(part: Fields): Part {
  const file_data = part.text('file_data')
  if (file_data === undefined)
    throw part.unsupported(part.get('file_url') === undefined ? 'file_id' : 'file_url', 'send file_data')
  const filename = part.text('filename')
  part.only('detail', 'auto')
  part.hint('prompt_cache_breakpoint')
  part.end()
  return { type: 'file', file: { ...(filename !== undefined && { filename }), file_data } }
}

function assistantText(item: Fields): string {
  const given = item.get('content')
  if (typeof given === 'string') return given
  const texts = item.each('content', (part) => {
    const type = part.needText('type')
    if (type !== 'output_text' && type !== 'refusal' && type !== 'input_text') throw part.unsupported('type')
    const text = part.needText(type === 'refusal' ? 'refusal' : 'text')
    if ((part.list('annotations') ?? []).length > 0) throw part.unsupported('annotations')
    // Of an earlier answer; nothing follows from it. The SDKs add what they parsed.
    part.hint('logprobs', 'prompt_cache_breakpoint')
    part.get('parsed')
    part.end()
    return text
  })
  if (texts === undefined) throw invalid(item.at('content'), 'is required')
  return texts.join('')
}

function readCall(item: Fields): unknown {
  item.only('async', false)
  const caller = item.object('caller')
  caller?.only('type', 'direct')
  caller?.end()
  item.get('parsed_arguments')
  return {
    id: item.needText('call_id'),
    type: 'function',
    function: { name: item.needText('name'), arguments: item.needText('arguments') },
  }
}

function outputText(item: Fields): string | Part[] {
  const caller = item.object('caller')
  caller?.only('type', 'direct')
  caller?.end()
  return content(item, 'output', textPart)
}

/** Reasoning in the open is a chat target's own, which it gets back; summaries and sealed reasoning are for OpenAI only. */
function readReasoning(item: Fields): string {
  item.hint('summary', 'encrypted_content')
  const texts = item.each('content', (part) => {
    if (part.needText('type') !== 'reasoning_text') throw part.unsupported('type')
    const text = part.needText('text')
    part.end()
    return text
  })
  return (texts ?? []).join('')
}
