import type { Recorded } from '@switchyard/testkit'

type Json = Readonly<Record<string, unknown>>

/** A request as an upstream received it, told alike for chat and `messages`. */
export interface Received {
  readonly model: unknown
  readonly maxTokens: unknown
  readonly streamed: boolean
  readonly system: unknown
  /** Texts of the user's turns. */
  readonly said: readonly unknown[]
  /** Images as they stand there. */
  readonly images: readonly unknown[]
  readonly tools: readonly { readonly name: unknown; readonly schema: unknown }[]
  /** Calls in the answers that were handed back. */
  readonly calls: readonly { readonly id: unknown; readonly name: unknown; readonly input: unknown }[]
  readonly results: readonly { readonly id: unknown; readonly text: unknown }[]
  /** What the answer must fit. */
  readonly schema: unknown
}

/** Of `chat/completions`. */
export function receivedChat({ body }: Recorded): Received {
  const chat = body as Json
  const turns = chat.messages as readonly Json[]
  const users = turns.filter(({ role }) => role === 'user').flatMap(({ content }) => parts(content))
  const format = chat.response_format as { json_schema?: Json } | undefined
  return {
    model: chat.model,
    maxTokens: chat.max_completion_tokens ?? chat.max_tokens,
    streamed: chat.stream === true,
    system: turns.find(({ role }) => role === 'system')?.content,
    said: users.filter(({ type }) => type === 'text').map(({ text }) => text),
    images: users.filter(({ type }) => type === 'image_url').map(({ image_url }) => (image_url as Json).url),
    tools: ((chat.tools ?? []) as { function: Json }[]).map(({ function: { name, parameters } }) => ({
      name,
      schema: parameters,
    })),
    calls: turns.flatMap(({ tool_calls }) =>
      ((tool_calls ?? []) as { id: string; function: Record<string, string> }[]).map(({ id, function: made }) => ({
        id,
        name: made.name,
        input: JSON.parse(made.arguments ?? '') as unknown,
      })),
    ),
    results: turns
      .filter(({ role }) => role === 'tool')
      .map(({ tool_call_id, content }) => ({ id: tool_call_id, text: textOf(content) })),
    schema: format?.json_schema?.schema,
  }
}

/** Of `messages`. */
export function receivedMessages({ body }: Recorded): Received {
  const asked = body as Json
  const turns = asked.messages as readonly Json[]
  const blocks = turns.flatMap(({ role, content }) => parts(content).map((block): Json => ({ ...block, role })))
  const config = asked.output_config as { format?: Json } | undefined
  return {
    model: asked.model,
    maxTokens: asked.max_tokens,
    streamed: asked.stream === true,
    system: textOf(asked.system),
    said: blocks.filter(({ role, type }) => role === 'user' && type === 'text').map(({ text }) => text),
    images: blocks.filter(({ type }) => type === 'image').map(({ source }) => urlOf(source as Json)),
    tools: ((asked.tools ?? []) as Json[]).map(({ name, input_schema }) => ({ name, schema: input_schema })),
    calls: blocks.filter(({ type }) => type === 'tool_use').map(({ id, name, input }) => ({ id, name, input })),
    results: blocks
      .filter(({ type }) => type === 'tool_result')
      .map(({ tool_use_id, content }) => ({ id: tool_use_id, text: textOf(content) })),
    schema: config?.format?.schema,
  }
}

function parts(content: unknown): readonly Json[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  return (content ?? []) as readonly Json[]
}

function textOf(content: unknown): unknown {
  if (content === undefined) return undefined
  return parts(content)
    .map(({ text }) => text)
    .join('')
}

function urlOf(source: Json): unknown {
  return source.type === 'url' ? source.url : `data:${source.media_type};base64,${source.data}`
}
