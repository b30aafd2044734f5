import { Fields, invalid, type Json, put } from '../dialect/fields.ts'
import { readingFor, type TranslateOptions } from '../dialect/options.ts'
import { turnsToMessages } from './content-to-messages.ts'
import { toolChoiceToMessages, toolToMessages } from './tools-to-messages.ts'

const DEFAULT_MAX_TOKENS = 4_096
const HIGHEST_TEMPERATURE = 1

/**
 * A `chat/completions` request as one for `messages`. Throws `UNSUPPORTED` naming the field that such a target cannot be told, and
 * `INVALID_REQUEST` for what is no chat request.
 */
export function chatToMessages(body: Json, options: TranslateOptions = {}): Record<string, unknown> {
  const fields = new Fields(body, '', readingFor('messages', options))
  const { system, messages } = turnsToMessages(fields)
  const made: Record<string, unknown> = { model: fields.get('model'), max_tokens: maxTokens(fields, options) }
  put(made, 'system', system)
  made.messages = messages
  const temperature = fields.number('temperature')
  if (temperature !== undefined && temperature > HIGHEST_TEMPERATURE)
    throw fields.unsupported('temperature', `it goes up to ${HIGHEST_TEMPERATURE} there`)
  put(made, 'temperature', temperature)
  put(made, 'top_p', fields.number('top_p'))
  put(made, 'stop_sequences', stopSequences(fields))
  if (fields.flag('stream') === true) made.stream = true
  readStreamOptions(fields.object('stream_options'))
  const tools = fields.each('tools', toolToMessages)
  if (tools !== undefined && tools.length > 0) made.tools = tools
  put(made, 'tool_choice', toolChoiceToMessages(fields, made.tools !== undefined))
  Object.assign(made, outputConfig(fields), whoAsks(fields), serviceTier(fields))
  readRest(fields)
  fields.end()
  return made
}

function maxTokens(fields: Fields, options: TranslateOptions): number {
  const older = fields.number('max_tokens')
  return fields.number('max_completion_tokens') ?? older ?? options.maxTokens ?? DEFAULT_MAX_TOKENS
}

function stopSequences(fields: Fields): readonly unknown[] | undefined {
  const stop = fields.get('stop')
  if (typeof stop === 'string') return [stop]
  const list = fields.list('stop')
  return list !== undefined && list.length > 0 ? list : undefined
}

/** Whether usage is told at the end is a matter of the reply's translation. */
function readStreamOptions(options: Fields | undefined): void {
  if (options === undefined) return
  options.flag('include_usage')
  options.hint('include_obfuscation')
  options.end()
}

const EFFORTS: ReadonlySet<unknown> = new Set(['low', 'medium', 'high', 'xhigh', 'max'])

function outputConfig(fields: Fields): Record<string, unknown> {
  const config: Record<string, unknown> = {}
  const made: Record<string, unknown> = {}
  const effort = fields.get('reasoning_effort')
  if (effort === 'none') made.thinking = { type: 'disabled' }
  else if (effort !== undefined && !EFFORTS.has(effort)) throw fields.unsupported('reasoning_effort')
  else put(config, 'effort', effort)
  put(config, 'format', outputFormat(fields.object('response_format')))
  if (Object.keys(config).length > 0) made.output_config = config
  return made
}

function outputFormat(format: Fields | undefined): unknown {
  if (format === undefined) return undefined
  const type = format.needText('type')
  if (type === 'text') {
    format.end()
    return undefined
  }
  if (type !== 'json_schema') throw format.unsupported('type', 'give the schema')
  const given = format.needObject('json_schema')
  // Only a label there. Strictness is no question here: every answer is held to the schema.
  given.text('name')
  given.flag('strict')
  const schema = given.get('schema')
  if (schema === undefined) throw invalid(given.at('schema'), 'is required')
  if (given.text('description') !== undefined) throw given.unsupported('description')
  given.end()
  format.end()
  return { type, schema }
}

function whoAsks(fields: Fields): Record<string, unknown> {
  const user = fields.text('user')
  const safety = fields.text('safety_identifier')
  if (user !== undefined && safety !== undefined && user !== safety)
    throw fields.unsupported('user', 'it differs from safety_identifier, and there is room for one')
  const user_id = safety ?? user
  return user_id === undefined ? {} : { metadata: { user_id } }
}

function serviceTier(fields: Fields): Record<string, unknown> {
  fields.only('service_tier', 'auto', 'default')
  return fields.get('service_tier') === 'default' ? { service_tier: 'standard_only' } : {}
}

/** What `messages` has no field for: heard where it repeats a default or is a hint. */
function readRest(fields: Fields): void {
  fields.only('n', 1)
  fields.only('frequency_penalty', 0)
  fields.only('presence_penalty', 0)
  fields.only('logit_bias')
  fields.only('logprobs', false)
  fields.only('top_logprobs', 0)
  fields.only('store', false)
  fields.only('verbosity', 'medium')
  const modalities = fields.list('modalities') ?? []
  if (modalities.some((modality) => modality !== 'text')) throw fields.unsupported('modalities')
  fields.hint('metadata', 'prediction', 'prompt_cache_key', 'prompt_cache_retention', 'prompt_cache_options')
}
