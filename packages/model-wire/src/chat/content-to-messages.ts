import { type Fields, invalid } from '../dialect/fields.ts'
import { isObject } from '../dialect/lenient.ts'

type Block = Record<string, unknown>
type Message = { readonly role: string; readonly content: string | Block[] }

export interface Turns {
  readonly system: string | Block[] | undefined
  readonly messages: readonly Message[]
}

/** System prompts before the first turn are the request's `system`, later ones stay where they are. Results of tools share a turn. */
export function turnsToMessages(fields: Fields): Turns {
  const system: Block[] = []
  const messages: Message[] = []
  let results: Block[] | undefined
  const turns = fields.each('messages', (turn) => {
    const role = turn.needText('role')
    if (role === 'tool') {
      if (results === undefined) {
        results = []
        messages.push({ role: 'user', content: results })
      }
      results.push(toolResult(turn))
    } else {
      results = undefined
      const content = contentOfRole(role, turn)
      if (role !== 'system' && role !== 'developer') {
        // An answer that said nothing leaves nothing to say, and an empty turn is refused there.
        if (role === 'user' || content.length > 0) messages.push({ role, content })
      } else if (messages.length === 0) system.push(...asBlocks(content))
      else messages.push({ role: 'system', content })
    }
    turn.end()
  })
  if (turns === undefined || turns.length === 0) throw invalid('messages', 'must hold at least one message')
  const [only] = system
  return { system: system.length < 2 ? (only?.text as string | undefined) : system, messages }
}

function contentOfRole(role: string, turn: Fields): string | Block[] {
  if (role === 'system' || role === 'developer') return content(turn, textBlock)
  if (role === 'user') return content(turn, inputBlock)
  if (role === 'assistant') return assistantContent(turn)
  throw turn.unsupported('role')
}

function asBlocks(given: string | Block[]): Block[] {
  if (typeof given !== 'string') return given
  return given === '' ? [] : [{ type: 'text', text: given }]
}

function content(turn: Fields, read: (part: Fields) => Block): string | Block[] {
  const given = turn.get('content')
  if (typeof given === 'string') return given
  const blocks = turn.each('content', read)
  if (blocks === undefined) throw invalid(turn.at('content'), 'is required')
  return blocks
}

function toolResult(turn: Fields): Block {
  return {
    type: 'tool_result',
    tool_use_id: toolUseId(turn.needText('tool_call_id')),
    content: content(turn, textBlock),
  }
}

function inputBlock(part: Fields): Block {
  const type = part.needText('type')
  if (type === 'image_url') return imageBlock(part)
  if (type === 'file') return documentBlock(part)
  return textBlock(part)
}

function textBlock(part: Fields): Block {
  if (part.needText('type') !== 'text') throw part.unsupported('type')
  const text = part.needText('text')
  part.hint('prompt_cache_breakpoint')
  part.end()
  return { type: 'text', text }
}

const DATA_URL = 'data:'
const BASE64 = ';base64,'

/** Media type and base64 of a data URL. */
function dataOf(url: string): { readonly media_type: string; readonly data: string } | undefined {
  const comma = url.indexOf(BASE64)
  if (!url.startsWith(DATA_URL) || comma === -1) return undefined
  return { media_type: url.slice(DATA_URL.length, comma), data: url.slice(comma + BASE64.length) }
}

function imageBlock(part: Fields): Block {
  const image = part.needObject('image_url')
  const url = image.needText('url')
  image.only('detail', 'auto')
  image.end()
  part.hint('prompt_cache_breakpoint')
  part.end()
  if (!url.startsWith(DATA_URL)) return { type: 'image', source: { type: 'url', url } }
  const inline = dataOf(url)
  if (inline === undefined) throw invalid(image.at('url'), 'must be a URL, or a data URL in base64')
  return { type: 'image', source: { type: 'base64', ...inline } }
}

function documentBlock(part: Fields): Block {
  const file = part.needObject('file')
  const inline = dataOf(file.text('file_data') ?? '')
  if (inline === undefined) throw file.unsupported('file_id', 'send file_data as a data URL in base64')
  if (inline.media_type !== 'application/pdf') throw file.unsupported('file_data', 'only PDF documents')
  const title = file.text('filename')
  file.end()
  part.hint('prompt_cache_breakpoint')
  part.end()
  return { type: 'document', source: { type: 'base64', ...inline }, ...(title !== undefined && { title }) }
}

function assistantContent(turn: Fields): string | Block[] {
  const blocks = thinkingBlocks(turn)
  const given = turn.get('content')
  const texts = typeof given === 'string' ? asBlocks(given) : (turn.each('content', saidBlock) ?? [])
  const refusal = turn.text('refusal')
  if (refusal !== undefined && refusal !== '') texts.push({ type: 'text', text: refusal })
  const calls = turn.each('tool_calls', toolUse) ?? []
  // Members of an answer that a client hands back as it got it, when they say nothing.
  turn.only('annotations')
  turn.only('audio')
  // What the SDKs' helpers add: the content once more, as they parsed it.
  turn.get('parsed')
  blocks.push(...texts, ...calls)
  const [only] = blocks
  return blocks.length === 1 && only?.type === 'text' ? (only.text as string) : blocks
}

/** Signed thinking as our own replies hand it out; reasoning without a signature is another vendor's, which Anthropic cannot take. */
function thinkingBlocks(turn: Fields): Block[] {
  const given = turn.list('thinking_blocks')
  if (given === undefined) turn.hint('reasoning_content', 'reasoning')
  else {
    turn.get('reasoning_content')
    turn.get('reasoning')
  }
  return (given ?? []).map((block, index) => {
    if (!isObject(block)) throw invalid(`${turn.at('thinking_blocks')}[${index}]`, 'must be an object')
    return { ...block }
  })
}

function saidBlock(part: Fields): Block {
  if (part.text('type') !== 'refusal') return textBlock(part)
  const text = part.needText('refusal')
  part.end()
  return { type: 'text', text }
}

function toolUse(call: Fields): Block {
  const type = call.text('type') ?? 'function'
  if (type !== 'function') throw call.unsupported('type')
  call.get('index')
  const id = toolUseId(call.needText('id'))
  const made = call.needObject('function')
  const name = made.needText('name')
  const input = inputOf(made)
  made.get('parsed_arguments')
  made.end()
  call.end()
  return { type: 'tool_use', id, name, input }
}

function inputOf(made: Fields): unknown {
  const text = made.needText('arguments')
  if (text.trim() === '') return {}
  try {
    const input: unknown = JSON.parse(text)
    if (isObject(input)) return input
  } catch {
    // told below
  }
  throw invalid(made.at('arguments'), 'must be the text of a JSON object')
}

/** Anthropic takes letters, digits, _ and - in ids only; another vendor's id keeps being one of its own. */
function toolUseId(id: string): string {
  return id.replace(/[^A-Za-z0-9_-]/g, (char) => `_${char.codePointAt(0)?.toString(16)}_`)
}
