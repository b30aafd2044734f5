import { type Draft, isRecord, type Json } from './exact-json.ts'
import type { Cut } from './pieces.ts'

/** Fields of a reply that each of its chunks repeats; all others come with the first. */
const REPEATED: ReadonlySet<string> = new Set(['id', 'created', 'model', 'system_fingerprint', 'service_tier'])
/** Texts of a message in the order in which they are said; each has a delta of its own. */
const BEFORE_CONTENT = ['reasoning_content', 'reasoning'] as const
const APART: ReadonlySet<string> = new Set([...BEFORE_CONTENT, 'content', 'refusal', 'tool_calls'])

/** The chunks of a reply of `chat/completions` or `completions`, its usage last where it is asked for. */
export function streamOfChat(body: Json, isChat: boolean, includeUsage: boolean, cut: Cut): readonly Json[] | undefined {
  if (!Array.isArray(body.choices)) return undefined
  const { choices, usage, object: _, ...fields } = body
  const head: Draft = {}
  const once: Draft = {}
  for (const name in fields) (REPEATED.has(name) ? head : once)[name] = fields[name]
  head.object = isChat ? 'chat.completion.chunk' : 'text_completion'
  const counted = usage !== undefined && usage !== null
  if (includeUsage && counted) head.usage = null
  const events: Json[] = []
  for (const choice of choices as unknown[]) {
    if (!isRecord(choice)) return undefined
    const said = isChat ? deltas(choice, cut) : texts(choice, cut)
    if (said === undefined) return undefined
    for (const one of said) events.push({ ...head, ...(events.length === 0 && once), choices: [one] })
  }
  if (includeUsage && counted) events.push({ ...head, choices: [], usage })
  return events
}

function deltas({ index, message, finish_reason, logprobs, ...rest }: Json, cut: Cut): Json[] | undefined {
  if (!isRecord(message)) return undefined
  const first: Draft = {}
  for (const name in message) if (!APART.has(name)) first[name] = message[name]
  const { content, refusal, tool_calls: calls } = message
  if (content !== undefined) first.content = typeof content === 'string' ? '' : content
  if (refusal !== undefined) first.refusal = null
  const said: Draft[] = [first]
  for (const name of BEFORE_CONTENT) {
    const text = message[name]
    if (typeof text === 'string' && text !== '') said.push({ [name]: text })
    else if (text !== undefined) first[name] = text
  }
  if (typeof content === 'string') for (const piece of cut(content)) said.push({ content: piece })
  if (typeof refusal === 'string') said.push({ refusal })
  if (Array.isArray(calls))
    for (const [at, call] of (calls as unknown[]).entries())
      if (isRecord(call)) said.push({ tool_calls: [{ index: at, ...call }] })
  // Log-probabilities are those of the whole text: they come with the first piece of it.
  const told = said.length > 1 ? 1 : 0
  return [
    ...said.map((delta, at) => ({
      index,
      delta,
      ...(logprobs !== undefined && { logprobs: at === told ? logprobs : null }),
      finish_reason: null,
    })),
    { index, delta: {}, ...(logprobs !== undefined && { logprobs: null }), finish_reason: finish_reason ?? null, ...rest },
  ]
}

function texts({ index, text, finish_reason, logprobs, ...rest }: Json, cut: Cut): Json[] | undefined {
  if (typeof text !== 'string') return undefined
  const said = cut(text).map((piece, at) => ({
    index,
    text: piece,
    ...(logprobs !== undefined && { logprobs: at === 0 ? logprobs : null }),
    finish_reason: null,
  }))
  const last = said.length === 0 ? logprobs : null
  return [
    ...said,
    { index, text: '', ...(logprobs !== undefined && { logprobs: last }), finish_reason: finish_reason ?? null, ...rest },
  ]
}
