import { accumulate } from './accumulate.ts'
import { type Draft, isRecord, type Json } from './exact-json.ts'

/** Of a chunk's own fields, those that say nothing of the reply: what it holds, what it is called, and padding. */
const OF_THE_CHUNK: ReadonlySet<string> = new Set(['choices', 'object', 'obfuscation'])

interface Choice {
  readonly index: number
  /** The message of a chat; the text of a completion. */
  readonly said: Draft
  readonly rest: Draft
}

/** Puts together the chunks of `chat/completions` or `completions`. `pieces` takes the length of each text of the first choice. */
export function wholeOfChat(events: readonly Json[], isChat: boolean, pieces: number[]): Json | undefined {
  const envelope: Draft = {}
  const choices = new Map<number, Choice>()
  for (const event of events) {
    if (event.error !== undefined && event.error !== null) return undefined
    for (const name in event) {
      const value = event[name]
      if (!OF_THE_CHUNK.has(name) && (envelope[name] === undefined || (value !== null && value !== ''))) envelope[name] = value
    }
    if (!Array.isArray(event.choices)) continue
    for (const given of event.choices as unknown[]) if (isRecord(given)) addTo(choices, given, pieces)
  }
  if (choices.size === 0) return undefined
  const list = [...choices.values()].toSorted((a, b) => a.index - b.index)
  if (list.some(({ rest }) => typeof rest.finish_reason !== 'string')) return undefined
  if (envelope.usage === null) delete envelope.usage
  const object = isChat ? 'chat.completion' : 'text_completion'
  return { ...envelope, object, choices: list.map((choice) => (isChat ? chatChoice(choice) : textChoice(choice))) }
}

function addTo(choices: Map<number, Choice>, given: Json, pieces: number[]): void {
  const { index: place, delta, text, logprobs, ...rest } = given
  const index = typeof place === 'number' ? place : 0
  const choice = choices.get(index) ?? { index, said: {}, rest: {} }
  choices.set(index, choice)
  const piece = isRecord(delta) ? delta.content : text
  if (index === 0 && typeof piece === 'string' && piece !== '') pieces.push(piece.length)
  if (isRecord(delta)) accumulate(choice.said, delta)
  if (text !== undefined) accumulate(choice.said, { text })
  if (logprobs !== undefined) accumulate(choice.rest, { logprobs })
  for (const name in rest) if (choice.rest[name] === undefined || rest[name] !== null) choice.rest[name] = rest[name]
}

function chatChoice({ index, said, rest }: Choice): Json {
  const { tool_calls: calls } = said
  const message: Draft = { ...said, role: said.role ?? 'assistant', content: said.content ?? null }
  if (Array.isArray(calls)) {
    message.tool_calls = (calls as unknown[]).map((call) => (isRecord(call) ? withoutIndex(call) : call))
    if (message.content === '') message.content = null
  }
  return { index, message, ...rest }
}

function textChoice({ index, said, rest }: Choice): Json {
  return { index, text: said.text ?? '', ...rest }
}

function withoutIndex({ index: _, ...call }: Json): Json {
  return call
}
