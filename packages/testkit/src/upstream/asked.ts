type Json = Readonly<Record<string, unknown>>

/** A function that the fake model may call. */
export interface OfferedTool {
  readonly name: string
  /** Of its arguments. */
  readonly schema: unknown
}

/** What a request of `chat/completions`, `messages` or `responses` wants, whichever its dialect. */
export interface Asked {
  /** What was said since the last answer. */
  readonly text: string
  /** Each image since then: its URL, or of which type and how many bytes it is. */
  readonly images: readonly string[]
  /** What each tool gave since then. */
  readonly results: readonly string[]
  /** Those that may be called, less all but one where only one may. */
  readonly tools: readonly OfferedTool[]
  /** What the answer must fit; undefined for text. */
  readonly schema: unknown
}

interface Said {
  readonly texts: string[]
  readonly images: string[]
  readonly results: string[]
}

/** Reads a request's body in any of the three dialects. */
export function whatWasAsked(body: Json): Asked {
  const said: Said = { texts: [], images: [], results: [] }
  for (const turn of sinceLastAnswer(body.messages ?? body.input)) hear(turn, said)
  return {
    text: said.texts.join(' '),
    images: said.images,
    results: said.results,
    tools: callable(body),
    schema: schemaOf(body),
  }
}

function sinceLastAnswer(turns: unknown): readonly Json[] {
  if (typeof turns === 'string') return [{ role: 'user', content: turns }]
  const all = list(turns)
  const last = all.findLastIndex(({ role, type }) => role === 'assistant' || type === 'function_call' || type === 'reasoning')
  return all.slice(last + 1)
}

function hear(turn: Json, said: Said): void {
  if (turn.type === 'function_call_output') said.results.push(textOf(turn.output))
  else if (turn.role === 'tool') said.results.push(textOf(turn.content))
  else if (turn.role === 'user') {
    if (typeof turn.content === 'string') said.texts.push(turn.content)
    else for (const part of list(turn.content)) hearPart(part, said)
  }
}

function hearPart(part: Json, said: Said): void {
  if (part.type === 'text' || part.type === 'input_text') said.texts.push(String(part.text))
  else if (part.type === 'image_url') said.images.push(ofUrl(json(part.image_url).url))
  else if (part.type === 'input_image') said.images.push(ofUrl(part.image_url))
  else if (part.type === 'image') said.images.push(ofSource(json(part.source)))
  else if (part.type === 'tool_result') said.results.push(textOf(part.content))
}

function ofSource(source: Json): string {
  return source.type === 'base64' ? ofBase64(String(source.media_type), String(source.data)) : String(source.url)
}

function ofUrl(url: unknown): string {
  const [, type, data] = /^data:([^;,]*);base64,(.*)$/s.exec(String(url)) ?? []
  return type === undefined || data === undefined ? String(url) : ofBase64(type, data)
}

function ofBase64(type: string, data: string): string {
  return `${type} of ${Buffer.from(data, 'base64').length} bytes`
}

function callable(body: Json): readonly OfferedTool[] {
  const choice = json(body.tool_choice)
  if (body.tool_choice === 'none' || choice.type === 'none') return []
  const offered = list(body.tools).map((tool): OfferedTool => {
    const { name, parameters, input_schema } = { ...tool, ...json(tool.function) }
    return { name: String(name), schema: parameters ?? input_schema }
  })
  const named = json(choice.function).name ?? choice.name
  const wanted = named === undefined ? offered : offered.filter(({ name }) => name === named)
  const single = body.parallel_tool_calls === false || choice.disable_parallel_tool_use === true
  return single ? wanted.slice(0, 1) : wanted
}

function schemaOf(body: Json): unknown {
  const format = json(body.response_format ?? json(body.output_config).format ?? json(body.text).format)
  if (format.type === 'json_object') return { type: 'object', properties: {} }
  return format.type === 'json_schema' ? (json(format.json_schema).schema ?? format.schema) : undefined
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  return list(content)
    .map(({ text }) => String(text))
    .join('')
}

function list(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.map(json) : []
}

function json(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {}
}
