import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { DEMO_MODELS, demoChat, demoEmbedding, estimate, LABEL } from './answers.ts'

export interface DemoUpstream {
  /** `http://127.0.0.1:PORT/v1`. */
  readonly baseUrl: string
  close(): Promise<void>
}

type Json = Readonly<Record<string, unknown>>

/** Starts the simulated model upstream behind `demo/*`: chat (plain and streamed), embeddings and models in OpenAI's dialect. */
export async function startDemoUpstream(options: { readonly tokenDelayMs?: number } = {}): Promise<DemoUpstream> {
  const server = createServer((request, response) => {
    answer(request, response, options.tokenDelayMs ?? 15).catch(() => response.destroy())
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(request: IncomingMessage, response: ServerResponse, tokenDelayMs: number): Promise<void> {
  const path = request.url?.split('?')[0]
  if (request.method === 'GET' && path === '/v1/models') return send(response, 200, modelList())
  if (request.method !== 'POST') return send(response, 404, refusal('no such route'))
  let body: Json
  try {
    body = await readJson(request)
  } catch {
    return send(response, 400, refusal('the body is not JSON'))
  }
  if (!DEMO_MODELS.includes(String(body.model))) {
    return send(
      response,
      404,
      refusal(`demo has no model ${JSON.stringify(body.model)}: use demo/${DEMO_MODELS.join(' or demo/')}`, 'model_not_found'),
    )
  }
  if (path === '/v1/embeddings') return send(response, 200, embeddings(body))
  if (path !== '/v1/chat/completions') return send(response, 404, refusal('no such route'))
  if (!Array.isArray(body.messages)) return send(response, 400, refusal("'messages' is required", 'missing_required_parameter'))
  return body.stream === true ? streamChat(body, response, tokenDelayMs) : send(response, 200, chat(body))
}

function chat(body: Json): Json {
  const { model, words, promptTokens } = demoChat(body)
  return {
    ...envelope('chat.completion', model),
    choices: [{ index: 0, message: { role: 'assistant', content: words.join('') }, finish_reason: 'stop' }],
    usage: usage(promptTokens, words.length),
  }
}

async function streamChat(body: Json, response: ServerResponse, tokenDelayMs: number): Promise<void> {
  const { model, words, promptTokens } = demoChat(body)
  const head = envelope('chat.completion.chunk', model)
  const left = new AbortController()
  response.once('close', () => left.abort())
  response.writeHead(200, { 'content-type': 'text/event-stream', 'x-switchyard-simulated': 'true' })
  const event = (delta: Json, finish: string | null): void => {
    response.write(`data: ${JSON.stringify({ ...head, choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`)
  }
  event({ role: 'assistant', content: '' }, null)
  for (const word of words) {
    if (tokenDelayMs > 0) await delay(tokenDelayMs, undefined, { signal: left.signal })
    event({ content: word }, null)
  }
  event({}, 'stop')
  const wanted = body.stream_options as { include_usage?: boolean } | undefined
  if (wanted?.include_usage === true) {
    response.write(`data: ${JSON.stringify({ ...head, choices: [], usage: usage(promptTokens, words.length) })}\n\n`)
  }
  response.end('data: [DONE]\n\n')
}

function embeddings(body: Json): Json {
  const texts = (Array.isArray(body.input) ? body.input : [body.input]).map(String)
  const tokens = texts.reduce((sum, text) => sum + estimate(text), 0)
  const encode = (vector: number[]): unknown =>
    body.encoding_format === 'base64' ? Buffer.from(new Float32Array(vector).buffer).toString('base64') : vector
  return {
    object: 'list',
    model: `embed ${LABEL}`,
    data: texts.map((text, index) => ({ object: 'embedding', index, embedding: encode(demoEmbedding(text)) })),
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  }
}

function modelList(): Json {
  return {
    object: 'list',
    data: DEMO_MODELS.map((id) => ({ id, object: 'model', created: 1_767_225_600, owned_by: `switchyard ${LABEL}` })),
  }
}

function envelope(object: string, model: string): Json {
  return {
    id: `chatcmpl-demo-${Date.now().toString(36)}`,
    object,
    created: Math.floor(Date.now() / 1000),
    model,
    system_fingerprint: 'simulated',
  }
}

function usage(promptTokens: number, completionTokens: number): Json {
  return { prompt_tokens: promptTokens, completion_tokens: completionTokens, total_tokens: promptTokens + completionTokens }
}

function refusal(message: string, code: string | null = null): Json {
  return { error: { message: `${LABEL} ${message}`, type: 'invalid_request_error', param: null, code } }
}

function send(response: ServerResponse, status: number, body: Json): void {
  response.writeHead(status, { 'content-type': 'application/json', 'x-switchyard-simulated': 'true' }).end(JSON.stringify(body))
}

async function readJson(request: IncomingMessage): Promise<Json> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return JSON.parse(Buffer.concat(chunks).toString('utf8')) as Json
}
