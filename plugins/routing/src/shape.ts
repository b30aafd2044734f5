import type { ModelRequest } from '@switchyard/contract'
import { featuresOf } from './features.ts'
import { type AnswerKind, type OfferedFunction, type RequestShape, taskClassOf } from './learned/index.ts'

type Json = Readonly<Record<string, unknown>>

/** What a request's shape says of the answer that it wants, in every dialect. `answer` is what its route says. */
export function shapeOf(
  { body, stream }: Pick<ModelRequest, 'body' | 'stream'>,
  answer?: AnswerKind | undefined,
): RequestShape {
  const { tools, jsonSchema } = featuresOf({ body })
  const n = Math.max(typeof body.n === 'number' ? body.n : 1, typeof body.best_of === 'number' ? body.best_of : 1)
  return {
    tools,
    jsonSchema: jsonSchema || (body.response_format as Json | undefined)?.type === 'json_object',
    ...(answer !== undefined && { answer }),
    n,
    logprobs: (body.logprobs !== undefined && body.logprobs !== null && body.logprobs !== false) || body.top_logprobs != null,
    hostedTools: hostsTools(body),
    stream,
  }
}

/** The kind of question of a request: `tools`, `schema`, `label`, `number` or `chat`. */
export function taskClassFor(request: Pick<ModelRequest, 'body' | 'stream'>, answer?: AnswerKind | undefined): string {
  return taskClassOf(shapeOf(request, answer))
}

/** The functions that a request offers, whichever way its dialect writes them. */
export function offeredFunctions(body: Json): readonly OfferedFunction[] {
  if (!Array.isArray(body.tools)) return []
  return (body.tools as (Json | null)[]).flatMap((tool) => {
    const offered = (tool?.function ?? tool) as Json | null | undefined
    if (typeof offered?.name !== 'string') return []
    return [{ name: offered.name, parameters: offered.parameters ?? offered.input_schema }]
  })
}

/** The text that a request asks by: the last message of the user. Empty where there is none. */
export function promptOf({ body }: Pick<ModelRequest, 'body'>): string {
  const turns = Array.isArray(body.messages) ? body.messages : body.input
  if (!Array.isArray(turns)) return textOf(turns ?? body.prompt)
  const last = (turns as (Json | null)[]).findLast((turn) => turn?.role === 'user')
  return textOf(last?.content)
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  let text = ''
  for (const part of content as (Json | string | null)[]) {
    const said = typeof part === 'string' ? part : part?.text
    if (typeof said === 'string') text = text === '' ? said : `${text}\n${said}`
  }
  return text
}

/** Tools without a function of the client's are run by the provider. */
function hostsTools(body: Json): boolean {
  if (body.web_search_options != null || Array.isArray(body.mcp_servers)) return true
  if (!Array.isArray(body.tools)) return false
  return (body.tools as (Json | null)[]).some((tool) => {
    const type = tool?.type
    return type !== undefined && type !== 'function' && type !== 'custom'
  })
}
