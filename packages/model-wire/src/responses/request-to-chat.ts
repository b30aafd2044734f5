import { Fields, invalid, type Json, put } from '../dialect/fields.ts'
import { readingFor, type TranslateOptions } from '../dialect/options.ts'
import { inputToChat } from './input-to-chat.ts'
import { toolChoiceToChat, toolToChat } from './tools-to-chat.ts'

/** Fields that chat has under the same name. */
const SAME = [
  'temperature',
  'top_p',
  'parallel_tool_calls',
  'service_tier',
  'user',
  'safety_identifier',
  'prompt_cache_key',
  'prompt_cache_retention',
  'prompt_cache_options',
] as const

/**
 * A `responses` request as one for `chat/completions`. Throws `UNSUPPORTED` naming the field that a chat target cannot be told, and
 * `INVALID_REQUEST` for what is no `responses` request. Nothing is stored: `store: true` and what needs it are `UNSUPPORTED`, and a
 * request that says nothing of `store` is answered as with false.
 */
export function responsesToChat(body: Json, options: TranslateOptions = {}): Record<string, unknown> {
  const fields = new Fields(body, '', readingFor('chat/completions', options))
  const chat: Record<string, unknown> = { model: fields.get('model') }
  const instructions = fields.text('instructions')
  const system = instructions === undefined ? [] : [{ role: 'system', content: instructions }]
  chat.messages = [...system, ...inputToChat(fields)]
  put(chat, options.maxTokensField ?? 'max_completion_tokens', fields.number('max_output_tokens'))
  for (const name of SAME) put(chat, name, fields.get(name))
  if (fields.flag('stream') === true) {
    chat.stream = true
    chat.stream_options = { include_usage: true }
  }
  const tools = fields.each('tools', toolToChat)
  if (tools !== undefined && tools.length > 0) chat.tools = tools
  put(chat, 'tool_choice', toolChoiceToChat(fields))
  Object.assign(chat, textToChat(fields.object('text')), reasoningToChat(fields.object('reasoning')))
  readStateless(fields)
  fields.end()
  return chat
}

/** What has no field in chat: refused where it would change the answer, heard where it says nothing or only repeats a default. */
function readStateless(fields: Fields): void {
  fields.only('store', false)
  fields.only('background', false)
  fields.only('truncation', 'disabled')
  // Encrypted reasoning is asked for in case there is some; a chat target has none to give.
  const include = fields.list('include') ?? []
  if (include.some((name) => name !== 'reasoning.encrypted_content')) throw fields.unsupported('include')
  fields.only('top_logprobs', 0)
  // It limits the calls of tools that the API runs itself, and those are refused.
  fields.hint('include', 'max_tool_calls', 'stream_options')
  // Given back with the response, as it is where nothing is stored.
  fields.get('metadata')
}

function textToChat(text: Fields | undefined): Record<string, unknown> {
  const chat: Record<string, unknown> = {}
  if (text === undefined) return chat
  put(chat, 'verbosity', text.text('verbosity'))
  const format = text.object('format')
  if (format !== undefined) put(chat, 'response_format', formatToChat(format))
  text.end()
  return chat
}

function formatToChat(format: Fields): unknown {
  const type = format.needText('type')
  if (type === 'json_schema') {
    const json_schema: Record<string, unknown> = { name: format.needText('name') }
    put(json_schema, 'description', format.text('description'))
    json_schema.schema = format.get('schema')
    if (json_schema.schema === undefined) throw invalid(format.at('schema'), 'is required')
    put(json_schema, 'strict', format.flag('strict'))
    format.end()
    return { type, json_schema }
  }
  format.end()
  if (type === 'json_object') return { type }
  if (type !== 'text') throw format.unsupported('type')
  return undefined
}

function reasoningToChat(reasoning: Fields | undefined): Record<string, unknown> {
  const chat: Record<string, unknown> = {}
  if (reasoning === undefined) return chat
  put(chat, 'reasoning_effort', reasoning.text('effort'))
  reasoning.only('mode', 'standard')
  reasoning.only('context', 'auto')
  // Whether there is a summary is the model's own affair with every target: where one thinks aloud, all of it is handed on.
  reasoning.hint('summary', 'generate_summary')
  reasoning.end()
  return chat
}
