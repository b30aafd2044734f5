import { Fields, invalid, type Json, put } from '../dialect/fields.ts'
import { readingFor, type TranslateOptions } from '../dialect/options.ts'
import { messageToChat, textBlocks } from './content-to-chat.ts'
import { toolChoiceToChat, toolToChat } from './tools-to-chat.ts'

/**
 * A `messages` request as one for `chat/completions`. Throws `UNSUPPORTED` naming the field that a chat target cannot be told, and
 * `INVALID_REQUEST` for what is no `messages` request.
 */
export function messagesToChat(body: Json, options: TranslateOptions = {}): Record<string, unknown> {
  const fields = new Fields(body, '', readingFor('chat/completions', options))
  const chat: Record<string, unknown> = { model: fields.get('model') }
  chat.messages = [...systemToChat(fields), ...turnsToChat(fields)]
  const maxTokens = fields.number('max_tokens')
  if (maxTokens === undefined) throw invalid('max_tokens', 'is required')
  chat[options.maxTokensField ?? 'max_completion_tokens'] = maxTokens
  put(chat, 'temperature', fields.number('temperature'))
  put(chat, 'top_p', fields.number('top_p'))
  const stop = fields.list('stop_sequences')
  if (stop !== undefined && stop.length > 0) chat.stop = stop
  if (fields.flag('stream') === true) {
    chat.stream = true
    chat.stream_options = { include_usage: true }
  }
  const tools = fields.each('tools', toolToChat)
  if (tools !== undefined && tools.length > 0) chat.tools = tools
  Object.assign(chat, toolChoiceToChat(fields.object('tool_choice')))
  readThinking(fields.object('thinking'))
  Object.assign(chat, outputConfigToChat(fields.object('output_config')))
  const metadata = fields.object('metadata')
  put(chat, 'user', metadata?.text('user_id'))
  metadata?.end()
  fields.only('service_tier', 'auto', 'standard_only')
  if (fields.get('service_tier') === 'standard_only') chat.service_tier = 'default'
  fields.only('speed', 'standard')
  fields.hint('cache_control')
  fields.end()
  return chat
}

function systemToChat(fields: Fields): Record<string, unknown>[] {
  const content = textBlocks(fields, 'system')
  return content === undefined || content === '' ? [] : [{ role: 'system', content }]
}

function turnsToChat(fields: Fields): Record<string, unknown>[] {
  const turns = fields.each('messages', (turn) => messageToChat(turn))
  if (turns === undefined || turns.length === 0) throw invalid('messages', 'must hold at least one message')
  const messages = turns.flat()
  if (messages.at(-1)?.role === 'assistant')
    throw fields.unsupported(
      `messages[${turns.length - 1}]`,
      'a chat model does not go on with an answer that was begun for it',
    )
  return messages
}

/** Chat models reason as they see fit, which is `adaptive`. `disabled` is a wish about what is spent: few targets have a word for it. */
function readThinking(thinking: Fields | undefined): void {
  if (thinking === undefined) return
  const type = thinking.needText('type')
  if (type === 'enabled') throw thinking.unsupported('budget_tokens', "use {type: 'adaptive'} with output_config.effort")
  if (type === 'disabled') thinking.hint('type')
  else if (type !== 'adaptive') throw thinking.unsupported('type')
  thinking.hint('display')
  thinking.end()
}

function outputConfigToChat(config: Fields | undefined): Record<string, unknown> {
  const chat: Record<string, unknown> = {}
  if (config === undefined) return chat
  put(chat, 'reasoning_effort', config.text('effort'))
  const format = config.object('format')
  if (format !== undefined) {
    if (format.needText('type') !== 'json_schema') throw format.unsupported('type')
    const json_schema = { name: 'response', schema: format.get('schema'), strict: true }
    if (json_schema.schema === undefined) throw invalid(format.at('schema'), 'is required')
    chat.response_format = { type: 'json_schema', json_schema }
    format.end()
  }
  config.end()
  return chat
}
