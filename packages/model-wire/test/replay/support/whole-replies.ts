import fc from 'fast-check'

export const DIALECTS: readonly ['chat/completions', 'completions', 'responses', 'messages'] = [
  'chat/completions',
  'completions',
  'responses',
  'messages',
] as const

type Draft = Record<string, unknown>

/** Texts with what splits badly: pairs of surrogates, line ends, quotes, combining marks, what looks like an event. */
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('data: [DONE]\n\n', '\u2028"\\\u0000', '𝄞🚃', 'e\u0301', ' '),
)
const some = fc.oneof(text, fc.constant('x'))
const optional = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined })
const extra = fc.jsonValue({ maxDepth: 2 }).filter((value) => value !== null && value !== '')
const count = fc.nat(100_000)
const json = fc
  .dictionary(fc.string({ maxLength: 6 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 })
  .map((value) => JSON.stringify(value))

function without(draft: Draft): Draft {
  return JSON.parse(JSON.stringify(draft)) as Draft
}

const usage = fc.record({ prompt_tokens: count, completion_tokens: count, total_tokens: count })

const toolCalls = fc.array(
  fc.record({
    id: fc.string({ minLength: 1, maxLength: 8 }),
    type: fc.constant('function'),
    function: fc.record({ name: fc.string({ minLength: 1, maxLength: 8 }), arguments: json }),
  }),
  { minLength: 1, maxLength: 3 },
)

const message = fc
  .record({
    content: fc.option(text),
    refusal: optional(fc.option(text)),
    reasoning_content: optional(fc.option(text)),
    reasoning: optional(some),
    annotations: optional(fc.array(fc.record({ type: fc.constant('url_citation'), url: text }), { maxLength: 2 })),
    x_of_message: optional(extra),
    tool_calls: optional(toolCalls),
  })
  // An empty text beside calls is how many streams begin; whole replies have null in its place.
  .map((said) => ({ role: 'assistant', ...said, content: said.content === '' && said.tool_calls ? null : said.content }))

const logprobs = fc.option(
  fc.record({
    content: fc.array(fc.record({ token: text, logprob: fc.integer(), bytes: fc.array(fc.nat(255)) }), { maxLength: 3 }),
  }),
)

const chat = fc.record({
  id: some,
  object: fc.constant('chat.completion'),
  created: count,
  model: some,
  system_fingerprint: optional(some),
  service_tier: optional(fc.constantFrom('default', 'flex')),
  x_extension: optional(extra),
  choices: fc
    .array(
      fc.record({
        message,
        logprobs: optional(logprobs),
        finish_reason: fc.constantFrom('stop', 'tool_calls', 'length'),
        stop_reason: optional(some),
      }),
      {
        minLength: 1,
        maxLength: 2,
      },
    )
    .map((choices) => choices.map((choice, index) => ({ index, ...choice }))),
  usage: optional(usage),
})

const completions = fc.record({
  id: some,
  object: fc.constant('text_completion'),
  created: count,
  model: some,
  x_extension: optional(extra),
  choices: fc
    .record({
      text,
      logprobs: fc.option(
        fc.record({ tokens: fc.array(text, { maxLength: 3 }), token_logprobs: fc.array(fc.integer(), { maxLength: 3 }) }),
      ),
      finish_reason: fc.constantFrom('stop', 'length'),
    })
    .map((choice) => [{ index: 0, ...choice }]),
  usage: optional(usage),
})

const block = fc.oneof(
  fc.record({
    type: fc.constant('text'),
    text,
    citations: optional(fc.option(fc.array(fc.record({ cited_text: text }), { maxLength: 2 }))),
  }),
  fc.record({ type: fc.constant('thinking'), thinking: text, signature: text }),
  fc.record({ type: fc.constant('redacted_thinking'), data: some }),
  fc.record({ type: fc.constant('tool_use'), id: some, name: some, input: json.map((value) => JSON.parse(value) as Draft) }),
  fc.record({ type: fc.constant('x_block'), x_of_block: extra }),
)

const messages = fc.record({
  id: some,
  type: fc.constant('message'),
  role: fc.constant('assistant'),
  model: some,
  content: fc.array(block, { maxLength: 4 }),
  stop_reason: fc.constantFrom('end_turn', 'max_tokens', 'tool_use', 'stop_sequence'),
  stop_sequence: fc.option(some),
  container: optional(fc.constant(null)),
  x_extension: optional(extra),
  usage: fc.record({
    input_tokens: count,
    output_tokens: count,
    cache_read_input_tokens: optional(count),
    service_tier: optional(some),
  }),
})

const item = fc.oneof(
  fc.record({
    type: fc.constant('message'),
    id: some,
    status: fc.constant('completed'),
    role: fc.constant('assistant'),
    content: fc.array(
      fc.oneof(
        fc.record({
          type: fc.constant('output_text'),
          text,
          annotations: fc.array(fc.record({ type: fc.constant('x'), url: text }), { maxLength: 2 }),
          logprobs: optional(fc.array(fc.record({ token: text }), { maxLength: 2 })),
        }),
        fc.record({ type: fc.constant('refusal'), refusal: text }),
        fc.record({ type: fc.constant('x_part'), x_of_part: extra }),
      ),
      { maxLength: 2 },
    ),
  }),
  fc.record({
    type: fc.constant('reasoning'),
    id: some,
    summary: fc.array(fc.record({ type: fc.constant('summary_text'), text }), { maxLength: 2 }),
    encrypted_content: optional(some),
  }),
  fc.record({
    type: fc.constant('function_call'),
    id: some,
    status: fc.constant('completed'),
    call_id: some,
    name: some,
    arguments: json,
  }),
  fc.record({ type: fc.constant('custom_tool_call'), id: some, call_id: some, name: some, input: text }),
  fc.record({
    type: fc.constant('reasoning'),
    id: some,
    summary: fc.constant([]),
    content: fc.array(fc.record({ type: fc.constant('reasoning_text'), text }), { maxLength: 2 }),
  }),
  fc.record({ type: fc.constant('x_item'), id: some, x_of_item: extra }),
)

const responses = fc.record({
  id: some,
  object: fc.constant('response'),
  created_at: count,
  model: some,
  status: fc.constantFrom('completed', 'incomplete'),
  incomplete_details: fc.option(fc.record({ reason: fc.constant('max_output_tokens') })),
  error: fc.constant(null),
  output: fc.array(item, { maxLength: 3 }),
  metadata: fc.constant({}),
  x_extension: optional(extra),
  usage: fc.record({ input_tokens: count, output_tokens: count, total_tokens: count }),
})

/** Whole replies as upstreams give them, members that are undefined left out. */
export const WHOLE: Readonly<Record<(typeof DIALECTS)[number], fc.Arbitrary<Draft>>> = {
  'chat/completions': chat.map(without),
  completions: completions.map(without),
  responses: responses.map(without),
  messages: messages.map(without),
}
