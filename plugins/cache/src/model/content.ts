import type { ModelEndpoint } from '@switchyard/contract'

type Json = Readonly<Record<string, unknown>>

/** What a conversation holds beside text. */
export interface Found {
  /** Calls of tools, or their results. */
  tools: boolean
  /** Images that are in the request itself. */
  images: boolean
  /** Something that the provider keeps or fetches. */
  state: boolean
  /** Anything else, what nobody knows and what is no conversation included. */
  other: boolean
}

type Kind = 'text' | keyof Found

/** Parts, blocks and items by their type, in all dialects. */
const KINDS: Readonly<Record<string, Kind>> = {
  text: 'text',
  input_text: 'text',
  output_text: 'text',
  refusal: 'text',
  thinking: 'text',
  redacted_thinking: 'text',
  summary_text: 'text',
  reasoning_text: 'text',
  tool_use: 'tools',
  tool_result: 'tools',
  function_call: 'tools',
  function_call_output: 'tools',
  custom_tool_call: 'tools',
  custom_tool_call_output: 'tools',
  image_url: 'images',
  image: 'images',
  input_image: 'images',
  server_tool_use: 'state',
  web_search_tool_result: 'state',
  item_reference: 'state',
  web_search_call: 'state',
  file_search_call: 'state',
  computer_call: 'state',
  code_interpreter_call: 'state',
  mcp_call: 'state',
}

/** Looks through a conversation. Never throws. */
export function contentIn(endpoint: ModelEndpoint, body: Json): Found {
  const found: Found = { tools: false, images: false, state: false, other: false }
  if (isSomeAudio(body)) found.other = true
  switch (endpoint) {
    case 'completions':
      if (typeof body.prompt !== 'string' && !Array.isArray(body.prompt)) found.other = true
      break
    case 'messages':
      if (body.system !== undefined && body.system !== null) readContent(body.system, found)
      readTurns(body.messages, found)
      break
    case 'responses':
      if (body.instructions !== undefined && body.instructions !== null) readContent(body.instructions, found)
      if (typeof body.input !== 'string') readTurns(body.input, found)
      break
    default:
      readTurns(body.messages, found)
  }
  return found
}

function isSomeAudio({ audio, modalities }: Json): boolean {
  if (audio !== undefined && audio !== null) return true
  if (modalities === undefined || modalities === null) return false
  return !Array.isArray(modalities) || modalities.some((one) => one !== 'text')
}

function readTurns(list: unknown, found: Found): void {
  if (!Array.isArray(list) || list.length === 0) {
    found.other = true
    return
  }
  for (const item of list as unknown[]) {
    if (!isRecord(item)) found.other = true
    else if (item.role === undefined || (item.type !== undefined && item.type !== 'message')) readItem(item, found)
    else readMessage(item, found)
  }
}

/** Items of `responses` that are no messages. */
function readItem(item: Json, found: Found): void {
  // Reasoning that is not sealed into the request is looked up by its id.
  if (item.type === 'reasoning') {
    if (typeof item.encrypted_content !== 'string') found.state = true
  } else note(kindOf(item.type), found)
}

function readMessage(message: Json, found: Found): void {
  const { role, content, tool_calls: calls, function_call: call, audio } = message
  if (role === 'tool' || role === 'function') found.tools = true
  if (isSomething(calls) || isSomething(call)) found.tools = true
  if (isSomething(audio)) found.other = true
  if (content === undefined || content === null) {
    if (!found.tools) found.other = true
  } else readContent(content, found)
}

function readContent(content: unknown, found: Found): void {
  if (typeof content === 'string') return
  if (!Array.isArray(content)) {
    found.other = true
    return
  }
  for (const part of content as unknown[]) {
    const kind = isRecord(part) ? kindOf(part.type) : 'other'
    note(kind === 'images' && !isInside(part as Json) ? 'other' : kind, found)
  }
}

function kindOf(type: unknown): Kind {
  return (typeof type === 'string' && Object.hasOwn(KINDS, type) ? KINDS[type] : undefined) ?? 'other'
}

/** Behind a URL may be another picture tomorrow. */
function isInside(part: Json): boolean {
  const { image_url: given, source } = part
  const url = isRecord(given) ? given.url : given
  if (typeof url === 'string') return url.startsWith('data:')
  return isRecord(source) && source.type === 'base64'
}

function note(kind: Kind, found: Found): void {
  if (kind !== 'text') found[kind] = true
}

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isSomething(value: unknown): boolean {
  return value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0)
}
