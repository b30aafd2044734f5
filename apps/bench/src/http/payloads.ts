/** Body of a chat completion of some 20 tokens, as a provider answers it. */
export const PLAIN_REPLY: string = JSON.stringify({
  id: 'chatcmpl-bench',
  object: 'chat.completion',
  created: 1_767_225_600,
  model: 'bench',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: 'The quick brown fox jumps over the lazy dog. '.repeat(4) },
      finish_reason: 'stop',
    },
  ],
  usage: { prompt_tokens: 24, completion_tokens: 40, total_tokens: 64 },
})

const TOKENS = 20

/** The same as server-sent events: role, 20 tokens, finish, usage, `[DONE]`. */
export const STREAM_REPLY: string = [
  chunk({ role: 'assistant', content: '' }),
  ...Array.from({ length: TOKENS }, (_, index) => chunk({ content: ` token${index}` })),
  chunk({}, 'stop'),
  event({ choices: [], usage: { prompt_tokens: 24, completion_tokens: TOKENS, total_tokens: 24 + TOKENS } }),
  'data: [DONE]\n\n',
].join('')

/** Stands in each question, where none is to be asked twice. */
export const QUESTION_NUMBER = '0000000000000000'

/** What a client sends: a system prompt and a question, about 1 KB. At temperature 0 its answer may come from a cache. */
export function requestBody(model: string, stream: boolean, temperature = 0.2): string {
  return JSON.stringify({
    model,
    messages: [
      { role: 'system', content: 'You are a helpful assistant. '.repeat(30) },
      { role: 'user', content: `What does a switchyard do? (${QUESTION_NUMBER})` },
    ],
    temperature,
    ...(stream && { stream, stream_options: { include_usage: true } }),
  })
}

function chunk(delta: object, finish: string | null = null): string {
  return event({ choices: [{ index: 0, delta, finish_reason: finish }] })
}

function event(fields: object): string {
  return `data: ${JSON.stringify({ id: 'chatcmpl-bench', object: 'chat.completion.chunk', created: 1_767_225_600, model: 'bench', ...fields })}\n\n`
}
