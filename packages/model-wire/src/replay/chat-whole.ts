import { DeltaTemplate } from '../stream/delta-template.ts'
import { accumulate } from './accumulate.ts'
import { type Draft, isRecord, type Json } from './exact-json.ts'
import type { Assembly } from './whole-of-stream.ts'

/** Of a chunk's own fields, those that say nothing of the reply: what it holds, what it is called, and padding. */
const OF_THE_CHUNK: ReadonlySet<string> = new Set(['choices', 'object', 'obfuscation'])
/** What of a choice is told bit by bit. */
const IN_BITS: ReadonlySet<string> = new Set(['index', 'delta', 'text', 'logprobs'])

interface Choice {
  readonly index: number
  /** The message of a chat; the text of a completion. */
  readonly said: Draft
  readonly rest: Draft
}

/** Puts together the chunks of `chat/completions` or `completions`; its pieces are those of the first choice. */
export function chatAssembly(isChat: boolean): Assembly {
  return new ChatAssembly(isChat)
}

class ChatAssembly implements Assembly {
  readonly pieces: number[] = []
  readonly #isChat: boolean
  readonly #envelope: Draft = {}
  readonly #choices = new Map<number, Choice>()
  readonly #template = new DeltaTemplate()
  /** Whose text the template's events go on with. */
  #goingOn: Choice | undefined
  /** A part of what was said is no text, and is not put together. */
  #hasLost = false

  constructor(isChat: boolean) {
    this.#isChat = isChat
  }

  knows(text: string): boolean {
    const piece = this.#goingOn === undefined ? undefined : this.#template.textOf(text)
    if (piece === undefined || this.#goingOn === undefined) return false
    this.#hear(this.#goingOn.index, piece)
    this.#goingOn.said.content = (this.#goingOn.said.content as string) + piece
    return true
  }

  add(event: Json, text: string): boolean {
    if (event.error !== undefined && event.error !== null) return false
    for (const name in event) this.#addField(name, event[name])
    if (!Array.isArray(event.choices)) return true
    let last: Choice | undefined
    for (const given of event.choices as unknown[]) if (isRecord(given)) last = this.#addChoice(given)
    if (this.#template.learn(text, event) && typeof last?.said.content === 'string') this.#goingOn = last
    return true
  }

  whole(): Json | undefined {
    const list = [...this.#choices.values()].toSorted((a, b) => a.index - b.index)
    if (this.#hasLost || list.length === 0 || list.some(({ rest }) => typeof rest.finish_reason !== 'string')) return undefined
    const { usage, ...envelope } = this.#envelope
    const object = this.#isChat ? 'chat.completion' : 'text_completion'
    const choices = list.map(this.#isChat ? chatChoice : textChoice)
    return { ...envelope, object, choices, ...(usage !== undefined && usage !== null && { usage }) }
  }

  #addField(name: string, value: unknown): void {
    if (OF_THE_CHUNK.has(name)) return
    if (this.#envelope[name] === undefined || (value !== null && value !== '')) this.#envelope[name] = value
  }

  #addChoice(given: Json): Choice {
    const { index: place, delta, text, logprobs } = given
    const index = typeof place === 'number' ? place : 0
    let choice = this.#choices.get(index)
    if (choice === undefined) {
      choice = { index, said: {}, rest: {} }
      this.#choices.set(index, choice)
    }
    const piece = isRecord(delta) ? delta.content : text
    if (typeof piece === 'object' && piece !== null) this.#hasLost = true
    this.#hear(index, piece)
    if (isRecord(delta)) accumulate(choice.said, delta)
    if (text !== undefined) accumulate(choice.said, { text })
    if (logprobs !== undefined && !(logprobs === null && choice.rest.logprobs !== undefined))
      accumulate(choice.rest, { logprobs })
    for (const name in given)
      if (!IN_BITS.has(name) && (choice.rest[name] === undefined || given[name] !== null)) choice.rest[name] = given[name]
    return choice
  }

  #hear(index: number, piece: unknown): void {
    if (index === 0 && typeof piece === 'string' && piece !== '') this.pieces.push(piece.length)
  }
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
