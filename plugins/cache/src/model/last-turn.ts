import type { ModelEndpoint } from '@switchyard/contract'
import { HOLE } from './canonical.ts'

type Json = Readonly<Record<string, unknown>>

/** A request's body parted into what the user said last and all the rest. */
export interface Parted {
  /** The body, holes where the texts were. */
  readonly rest: Json
  /** Parts of the last turn, in order; empty where it is no plain text of the user. */
  readonly texts: readonly string[]
  /** Messages of the user. */
  readonly turns: number
  /** There is something before the last turn that it may point back at. */
  readonly earlierTurns: boolean
  /** All that the model was told before the conversation. */
  readonly system: readonly unknown[]
}

const BEFORE: ReadonlySet<unknown> = new Set(['system', 'developer'])
const PLAIN: ReadonlySet<unknown> = new Set(['text', 'input_text'])

/** Parts a body. Never throws, whatever the body holds. */
export function parted(endpoint: ModelEndpoint, body: Json): Parted {
  switch (endpoint) {
    case 'chat/completions':
      return ofTurns(body, 'messages', [])
    case 'messages':
      return ofTurns(body, 'messages', body.system == null ? [] : [body.system])
    case 'responses': {
      const told = body.instructions == null ? [] : [body.instructions]
      return typeof body.input === 'string' ? single(body, 'input', told) : ofTurns(body, 'input', told)
    }
    case 'completions':
      return typeof body.prompt === 'string' ? single(body, 'prompt', []) : whole(body)
    default:
      return whole(body)
  }
}

function whole(body: Json): Parted {
  return { rest: body, texts: [], turns: 0, earlierTurns: false, system: [] }
}

function single(body: Json, name: string, system: readonly unknown[]): Parted {
  return { rest: { ...body, [name]: HOLE }, texts: [body[name] as string], turns: 1, earlierTurns: false, system }
}

function ofTurns(body: Json, name: string, told: readonly unknown[]): Parted {
  const list = body[name]
  if (!Array.isArray(list)) return whole(body)
  const items = list as readonly unknown[]
  const roles = items.map((item) => (typeof item === 'object' && item !== null ? (item as Json).role : undefined))
  const system = [...told, ...items.filter((_, at) => BEFORE.has(roles[at]))]
  const turns = roles.filter((role) => role === 'user').length
  const earlierTurns = roles.slice(0, -1).some((role) => !BEFORE.has(role))
  const said = roles.at(-1) === 'user' ? withoutText(items.at(-1) as Json) : undefined
  if (said === undefined) return { rest: body, texts: [], turns, earlierTurns, system }
  return { rest: { ...body, [name]: [...items.slice(0, -1), said.rest] }, texts: said.texts, turns, earlierTurns, system }
}

/** A message whose content is text and nothing else, parted. */
function withoutText(message: Json): { readonly rest: Json; readonly texts: readonly string[] } | undefined {
  const { content } = message
  if (typeof content === 'string') return { rest: { ...message, content: HOLE }, texts: [content] }
  if (!Array.isArray(content) || content.length === 0) return undefined
  const parts = content as readonly (Json | null)[]
  const texts: string[] = []
  for (const part of parts) {
    if (typeof part !== 'object' || part === null || !PLAIN.has(part.type) || typeof part.text !== 'string') return undefined
    texts.push(part.text)
  }
  return { rest: { ...message, content: parts.map((part) => ({ ...part, text: HOLE })) }, texts }
}
