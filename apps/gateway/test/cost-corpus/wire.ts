export type Json = Readonly<Record<string, unknown>>
export type Dialect = 'chat' | 'responses' | 'messages'

/** What a replay sends: a whole reply, or a stream's events before, while and after twelve tokens are said. */
export interface Replay {
  readonly whole: Json
  readonly begin: readonly Json[]
  readonly said: readonly Json[]
  readonly end: readonly Json[]
  /** In place of the end. */
  readonly error: Json
  readonly done: boolean
}

/** Four bytes, so one token by the estimate. */
export const WORD = 'tick'
export const WORDS = 12
export const PROMPT = 'Say hello to the world.'

/** What a provider of this dialect sends for a usage. */
export function replayOf(dialect: Dialect, usage: Json, tier: string | undefined): Replay {
  return { chat, responses, messages }[dialect](usage, tier === undefined ? {} : { service_tier: tier })
}

/** The body of a request in this dialect. */
export function requestOf(dialect: Dialect, model: string, wished: string | undefined): Json {
  const tier = wished === undefined ? {} : { service_tier: wished }
  if (dialect === 'responses') return { model, input: PROMPT, ...tier }
  return { model, messages: [{ role: 'user', content: PROMPT }], ...(dialect === 'messages' && { max_tokens: 64 }), ...tier }
}

function chat(usage: Json, tier: Json): Replay {
  const base = { id: 'c', object: 'chat.completion.chunk', ...tier }
  const delta = (content: string, reason: string | null = null): Json => ({
    ...base,
    choices: [{ index: 0, delta: reason === null ? { content } : {}, finish_reason: reason }],
  })
  return {
    whole: {
      id: 'c',
      choices: [{ index: 0, message: { role: 'assistant', content: WORD }, finish_reason: 'stop' }],
      usage,
      ...tier,
    },
    begin: [{ ...base, choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }] }],
    said: Array.from({ length: WORDS }, () => delta(WORD)),
    end: [delta('', 'stop'), { ...base, choices: [], usage }],
    error: { error: { message: 'overloaded', type: 'server_error' } },
    done: true,
  }
}

function responses(usage: Json, tier: Json): Replay {
  const response = { id: 'r', status: 'completed', output: [{ type: 'message', content: [] }], usage, ...tier }
  return {
    whole: response,
    begin: [{ type: 'response.created', response: { id: 'r', status: 'in_progress', output: [], usage: null } }],
    said: Array.from({ length: WORDS }, () => ({ type: 'response.output_text.delta', delta: WORD })),
    end: [{ type: 'response.completed', response }],
    error: { type: 'error', code: 'server_error', message: 'overloaded' },
    done: false,
  }
}

function messages(usage: Json): Replay {
  return {
    whole: { id: 'm', type: 'message', content: [{ type: 'text', text: WORD }], stop_reason: 'end_turn', usage },
    begin: [{ type: 'message_start', message: { id: 'm', content: [], usage: { ...usage, output_tokens: 1 } } }],
    said: Array.from({ length: WORDS }, () => ({
      type: 'content_block_delta',
      index: 0,
      delta: { type: 'text_delta', text: WORD },
    })),
    end: [{ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage }, { type: 'message_stop' }],
    error: { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
    done: false,
  }
}
