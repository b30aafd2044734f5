import { type Fields, invalid } from '../dialect/fields.ts'

type Part = Record<string, unknown>

/** One message as those of chat: a tool's result is a message of its own there. */
export function messageToChat(message: Fields): Record<string, unknown>[] {
  const role = message.needText('role')
  let made: Record<string, unknown>[]
  if (role === 'user') made = userToChat(message)
  else if (role === 'assistant') made = [assistantToChat(message)]
  else if (role === 'system') made = [{ role, content: textBlocks(message, 'content') ?? '' }]
  else throw message.unsupported('role')
  message.end()
  return made
}

/** A text, or blocks of it: chat takes both. */
export function textBlocks(fields: Fields, name: string): string | Part[] | undefined {
  const value = fields.get(name)
  if (value === undefined || typeof value === 'string') return value
  const parts = fields.each(name, (block) => {
    if (block.needText('type') !== 'text') throw block.unsupported('type')
    return textPart(block)
  })
  return contentOf(parts ?? [])
}

/** One text needs no list, which some targets do not take. */
function contentOf(parts: Part[]): string | Part[] {
  if (parts.length === 0) return ''
  const [only] = parts
  return parts.length === 1 && only?.type === 'text' ? (only.text as string) : parts
}

function userToChat(message: Fields): Record<string, unknown>[] {
  const content = message.get('content')
  if (typeof content === 'string') return [{ role: 'user', content }]
  const made: Record<string, unknown>[] = []
  let parts: Part[] = []
  const closeUser = (): void => {
    if (parts.length > 0) made.push({ role: 'user', content: contentOf(parts) })
    parts = []
  }
  const blocks = message.each('content', (block) => {
    if (block.needText('type') === 'tool_result') {
      closeUser()
      made.push(resultToChat(block))
    } else parts.push(inputPart(block))
  })
  if (blocks === undefined) throw invalid(message.at('content'), 'is required')
  closeUser()
  return made
}

function inputPart(block: Fields): Part {
  const type = block.needText('type')
  if (type === 'text') return textPart(block)
  if (type === 'image') return imagePart(block)
  if (type === 'document') return documentPart(block)
  throw block.unsupported('type')
}

function textPart(block: Fields): Part {
  const text = block.needText('text')
  if ((block.list('citations') ?? []).length > 0) throw block.unsupported('citations')
  block.hint('cache_control')
  block.end()
  return { type: 'text', text }
}

function imagePart(block: Fields): Part {
  const source = block.needObject('source')
  const type = source.needText('type')
  let url: string
  if (type === 'url') url = source.needText('url')
  else if (type === 'base64') url = `data:${source.needText('media_type')};base64,${source.needText('data')}`
  else throw source.unsupported('type')
  source.end()
  block.hint('cache_control')
  block.end()
  return { type: 'image_url', image_url: { url } }
}

function documentPart(block: Fields): Part {
  const source = block.needObject('source')
  const type = source.needText('type')
  const citations = block.object('citations')
  citations?.only('enabled', false)
  citations?.end()
  block.hint('cache_control')
  let part: Part
  if (type === 'text') {
    source.only('media_type', 'text/plain')
    part = { type: 'text', text: source.needText('data') }
  } else if (type === 'base64') {
    source.only('media_type', 'application/pdf')
    const file_data = `data:application/pdf;base64,${source.needText('data')}`
    part = { type: 'file', file: { filename: block.text('title') ?? 'document.pdf', file_data } }
  } else throw source.unsupported('type')
  source.end()
  block.end()
  return part
}

/** Chat has no flag for a tool that failed: its text begins by saying so. */
function resultToChat(block: Fields): Record<string, unknown> {
  const tool_call_id = block.needText('tool_use_id')
  const content = textBlocks(block, 'content') ?? ''
  const failed = block.flag('is_error') === true
  block.hint('cache_control')
  block.end()
  return { role: 'tool', tool_call_id, content: failed ? failedContent(content) : content }
}

function failedContent(content: string | Part[]): string | Part[] {
  return typeof content === 'string' ? `Error: ${content}` : [{ type: 'text', text: 'Error:' }, ...content]
}

function assistantToChat(message: Fields): Record<string, unknown> {
  const content = message.get('content')
  if (typeof content === 'string') return { role: 'assistant', content }
  const parts: Part[] = []
  const calls: unknown[] = []
  let reasoning = ''
  const blocks = message.each('content', (block) => {
    const type = block.needText('type')
    if (type === 'text') parts.push(textPart(block))
    else if (type === 'tool_use') calls.push(callToChat(block))
    else if (type === 'thinking') reasoning += thinkingText(block)
    else if (type === 'redacted_thinking') {
      block.hint('data')
      block.end()
    } else throw block.unsupported('type')
  })
  if (blocks === undefined) throw invalid(message.at('content'), 'is required')
  return {
    role: 'assistant',
    content: parts.length === 0 && calls.length > 0 ? null : contentOf(parts),
    ...(reasoning !== '' && { reasoning_content: reasoning }),
    ...(calls.length > 0 && { tool_calls: calls }),
  }
}

/** Thinking without a signature is a chat target's own `reasoning_content`, which it gets back; a signature is for Anthropic only. */
function thinkingText(block: Fields): string {
  const text = block.needText('thinking')
  const signed = (block.text('signature') ?? '') !== ''
  if (signed) block.hint('thinking')
  block.end()
  return signed ? '' : text
}

function callToChat(block: Fields): Record<string, unknown> {
  const id = block.needText('id')
  const name = block.needText('name')
  const input = block.get('input') ?? {}
  const caller = block.object('caller')
  caller?.only('type', 'direct')
  caller?.end()
  block.hint('cache_control')
  block.end()
  return { id, type: 'function', function: { name, arguments: JSON.stringify(input) } }
}
