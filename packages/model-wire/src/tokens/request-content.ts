import type { ModelEndpoint } from '@switchyard/contract'
import type { MediaPart } from './media.ts'
import { mediaPart } from './media-part.ts'

type Body = Readonly<Record<string, unknown>>

/** What a request body holds that its model reads. */
export interface RequestContent {
  /** All its texts, each on a line. */
  readonly text: string
  readonly media: readonly MediaPart[]
  /** Tokens that are no text: those that frame each message, and input given as token ids. */
  readonly frame: number
  /** The body holds more values than were read. */
  readonly cut: boolean
}

/** What the chat formats set around each message, and before the answer. */
const MESSAGE_TOKENS = 4
const ANSWER_TOKENS = 3
const CONVERSATIONS: ReadonlySet<ModelEndpoint> = new Set(['chat/completions', 'responses', 'messages'])

/** Values of a body that are read: 1 MB may hold half a million, each of which takes longer than its text. */
const MOST_VALUES = 20_000

/** The members of a body that reach the model, in all dialects, and those of them that it reads as JSON, names and all. */
const READ = ['system', 'instructions', 'messages', 'input', 'prompt', 'suffix', 'query', 'documents'] as const
const READ_AS_JSON = ['tools', 'functions', 'response_format', 'text', 'output_format', 'output_config'] as const

/** Members of messages and parts that no model reads. */
const UNREAD: ReadonlySet<string> = new Set([
  'type',
  'role',
  'id',
  'call_id',
  'tool_call_id',
  'tool_use_id',
  'cache_control',
  'signature',
  'status',
])
/** Members of messages and parts that hold the model's own JSON. */
const JSON_MEMBERS: ReadonlySet<string> = new Set(['input', 'arguments', 'action'])

/** Reads a body as far as its model would; it never throws, whatever the body holds and however deep. */
export function requestContent(body: Body, endpoint: ModelEndpoint): RequestContent {
  const texts: string[] = []
  const media: MediaPart[] = []
  // A stack of our own, since a body may be nested deeper than calls may be. Values and whether they are JSON to the model, by turns.
  const open: unknown[] = []
  let left = MOST_VALUES
  let frame = 0

  const readMembers = (value: Body, asJson: boolean): void => {
    const part = asJson ? undefined : mediaPart(value)
    if (part !== undefined) {
      media.push(part)
      return
    }
    for (const name in value) {
      if (left-- <= 0) return
      if (asJson) texts.push(name)
      else if (UNREAD.has(name)) continue
      open.push(value[name], asJson || JSON_MEMBERS.has(name))
    }
  }

  const read = (value: unknown, asJson: boolean): void => {
    if (typeof value === 'string') texts.push(value)
    else if (Array.isArray(value)) {
      if (typeof value[0] === 'number' && !asJson) frame += value.length
      else for (let index = 0; index < value.length && left-- > 0; index++) open.push(value[index], asJson)
    } else if (typeof value === 'object' && value !== null) readMembers(value as Body, asJson)
    else if (asJson && value !== undefined) frame++
  }

  for (const name of READ) open.push(body[name], false)
  for (const name of READ_AS_JSON) open.push(body[name], true)
  while (open.length > 0) {
    const asJson = open.pop() as boolean
    read(open.pop(), asJson)
  }
  return { text: texts.join('\n'), media, frame: frame + framesOf(body, endpoint), cut: left < 0 }
}

function framesOf(body: Body, endpoint: ModelEndpoint): number {
  if (!CONVERSATIONS.has(endpoint)) return 0
  const turns = endpoint === 'responses' ? body.input : body.messages
  return (Array.isArray(turns) ? turns.length : 1) * MESSAGE_TOKENS + ANSWER_TOKENS
}
