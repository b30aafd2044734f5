import type { ModelEndpoint, ModelReply } from '@switchyard/contract'
import { DEFAULT_TOKENS } from '../../upstream/answer.ts'
import { SPEECH } from '../../upstream/media.ts'
import { type Asking, wholeBody, wholeJson } from './asking.ts'
import type { ModelFixture } from './model-fixture.ts'

/** One endpoint beside chat and embeddings, and what a right answer of the fake upstream is. */
export interface EndpointPromise {
  readonly endpoint: ModelEndpoint
  /** First word of its cases' ids. */
  readonly key: string
  readonly asking: (fixture: ModelFixture) => Asking
  readonly content: (reply: ModelReply) => unknown
  readonly expected: unknown
  /** Total tokens as the upstream tells them; undefined where it tells none. */
  readonly usage?: readonly [input: number, output: number]
  readonly streamed?: StreamPromise
}

/** The same of its streams. */
export interface StreamPromise {
  readonly asking: (fixture: ModelFixture) => Asking
  /** What the events' data add up to. */
  readonly content: (events: readonly Json[]) => unknown
  readonly expected: unknown
  /** What the data of the last event, and of no other, holds. */
  readonly last: RegExp
}

type Json = Readonly<Record<string, unknown>>

const ANSWER = DEFAULT_TOKENS.join('')
const IMAGE = Buffer.from(ANSWER).toString('base64')
const USAGE = [7, DEFAULT_TOKENS.length] as const
const BOUNDARY = 'switchyard-form'
const RECORDING = 'RIFF\u0000\u00ff not the edge: --switchyard\r\n'

const json = (fields: Json) => (): Asking => ({ body: { messages: undefined, ...fields } })
const streamed = (fields: Json) => (): Asking => ({ stream: true, body: { messages: undefined, stream: true, ...fields } })
const joined = (name: string) => (events: readonly Json[]) => events.map((event) => event[name] ?? '').join('')
const typed = (type: string, name: string) => (events: readonly Json[]) =>
  joined(name)(events.filter((event) => event.type === type))

const prompt = { prompt: 'Say something.', max_tokens: 64 }
const message = { messages: [{ role: 'user', content: 'Say something.' }], max_tokens: 64 }
const input = { input: 'Say something.' }
const speech = { input: ANSWER, voice: 'alloy' }

/** A form as a client writes it, byte for byte. */
function form(fields: Readonly<Record<string, string>>): Asking & { readonly raw: Uint8Array } {
  const part = (disposition: string, value: string): string =>
    `--${BOUNDARY}\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n${value}\r\n`
  const texts = Object.entries(fields).map(([name, value]) => part(`name="${name}"`, value))
  const file = part('name="file"; filename="speech.wav"', RECORDING)
  return {
    body: { messages: undefined, ...fields },
    raw: Buffer.from(`${file}${texts.join('')}--${BOUNDARY}--\r\n`, 'latin1'),
    headers: { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` },
  }
}

/** Bytes of the file that a form for a transcription holds. */
export const RECORDING_BYTES: number = RECORDING.length

/** Every endpoint but chat and embeddings, whose cases are older. */
export const ENDPOINTS: readonly EndpointPromise[] = [
  {
    endpoint: 'completions',
    key: 'completions',
    asking: json(prompt),
    content: (reply) => (wholeJson(reply).choices as readonly { text: string }[])[0]?.text,
    expected: ANSWER,
    usage: USAGE,
    streamed: {
      asking: streamed(prompt),
      content: (events) => events.map(({ choices }) => (choices as readonly { text: string }[])[0]?.text ?? '').join(''),
      expected: ANSWER,
      last: /^\[DONE\]$/,
    },
  },
  {
    endpoint: 'responses',
    key: 'responses',
    asking: json(input),
    content: (reply) =>
      (wholeJson(reply).output as readonly { content?: readonly { text: string }[] }[])
        .map((item) => item.content?.[0]?.text)
        .join(''),
    expected: ANSWER,
    usage: USAGE,
    streamed: {
      asking: streamed(input),
      content: typed('response.output_text.delta', 'delta'),
      expected: ANSWER,
      last: /"type":\s*"response\.completed"/,
    },
  },
  {
    endpoint: 'messages',
    key: 'messages',
    asking: json(message),
    content: (reply) => (wholeJson(reply).content as readonly { text: string }[]).map(({ text }) => text).join(''),
    expected: ANSWER,
    usage: USAGE,
    streamed: {
      asking: streamed(message),
      content: (events) => events.map(({ delta }) => (delta as { text?: string } | undefined)?.text ?? '').join(''),
      expected: ANSWER,
      last: /"type":\s*"message_stop"/,
    },
  },
  {
    endpoint: 'moderations',
    key: 'moderations',
    asking: json({ input: ['good', 'bad'] }),
    content: (reply) => (wholeJson(reply).results as readonly { flagged: boolean }[]).map(({ flagged }) => flagged),
    expected: [false, true],
  },
  {
    endpoint: 'rerank',
    key: 'rerank',
    asking: json({ query: 'b', documents: ['a', 'b', 'c'] }),
    content: (reply) => (wholeJson(reply).results as readonly { index: number }[]).map(({ index }) => index),
    expected: [1, 0, 2],
    usage: [15, 0],
  },
  {
    endpoint: 'images/generations',
    key: 'images',
    asking: json({ prompt: 'A tram depot.', n: 2 }),
    content: (reply) => (wholeJson(reply).data as readonly { b64_json: string }[]).map(({ b64_json }) => b64_json),
    expected: [IMAGE, IMAGE],
    usage: USAGE,
    streamed: {
      asking: streamed({ prompt: 'A tram depot.', partial_images: 2 }),
      content: typed('image_generation.completed', 'b64_json'),
      expected: IMAGE,
      last: /"type":\s*"image_generation\.completed"/,
    },
  },
  {
    endpoint: 'audio/speech',
    key: 'speech',
    asking: json(speech),
    content: (reply) => Buffer.from(wholeBody(reply)).toString('hex'),
    expected: SPEECH.toString('hex'),
    streamed: {
      asking: streamed({ ...speech, stream: undefined, stream_format: 'sse' }),
      content: (events) => Buffer.concat(events.map(({ audio }) => Buffer.from(String(audio ?? ''), 'base64'))).toString('hex'),
      expected: SPEECH.toString('hex'),
      last: /"type":\s*"speech\.audio\.done"/,
    },
  },
  {
    endpoint: 'audio/transcriptions',
    key: 'transcriptions',
    asking: ({ model }) => form({ model }),
    content: (reply) => wholeJson(reply).text,
    expected: ANSWER,
    usage: USAGE,
    streamed: {
      asking: ({ model }) => ({ stream: true, ...form({ model, stream: 'true' }) }),
      content: typed('transcript.text.delta', 'delta'),
      expected: ANSWER,
      last: /"type":\s*"transcript\.text\.done"/,
    },
  },
]
