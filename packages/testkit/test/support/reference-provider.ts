import { type IncomingMessage, request as open } from 'node:http'
import {
  MODEL_ENDPOINTS,
  type ModelEnding,
  type ModelProvider,
  type ModelReply,
  type ModelRequest,
  SwitchyardError,
  type Usage,
} from '@switchyard/contract'

export interface ReferenceOptions {
  readonly url: string
  readonly apiKey: string
  readonly capabilities?: Partial<ModelProvider['capabilities']>
}

type Ended = Pick<ModelEnding, 'usage' | 'usageSource' | 'finishReason'>

/** A plain provider that keeps every promise of the model port, simply rather than fast. It serves `fake/*`. */
export function referenceProvider({ url, apiKey, capabilities }: ReferenceOptions): ModelProvider {
  const declared: ModelProvider['capabilities'] = {
    endpoints: MODEL_ENDPOINTS,
    streaming: true,
    models: ['fake/*'],
    listing: true,
    cancels: true,
    ...capabilities,
  }

  function send(
    method: string,
    path: string,
    body: Uint8Array | undefined,
    signal: AbortSignal | undefined,
    type = 'application/json',
  ): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(left(signal))
      const headers = { authorization: `Bearer ${apiKey}`, 'content-type': type }
      const request = open(`${url}/${path}`, { method, headers, agent: false }, (response) => {
        const { statusCode = 0 } = response
        if (statusCode >= 200 && statusCode < 300) return resolve(response)
        response.destroy()
        reject(refusal(statusCode, response.headers))
      })
      const leave = (): void => void request.destroy()
      signal?.addEventListener('abort', leave, { once: true })
      request.on('close', () => signal?.removeEventListener('abort', leave))
      request.on('error', (error) => {
        const invalid = (error as { code?: string }).code?.startsWith('HPE_') ? 'UPSTREAM_INVALID' : 'UPSTREAM_UNAVAILABLE'
        reject(signal?.aborted ? left(signal) : new SwitchyardError(invalid, 'the upstream did not answer'))
      })
      request.end(body)
    })
  }

  async function whole(response: IncomingMessage, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const chunks: Buffer[] = []
    try {
      for await (const chunk of response) chunks.push(chunk)
    } catch {
      throw signal?.aborted ? left(signal) : new SwitchyardError('UPSTREAM_TRUNCATED', 'the reply was cut')
    }
    return Buffer.concat(chunks)
  }

  async function invoke(request: ModelRequest, { signal }: { readonly signal?: AbortSignal }): Promise<ModelReply> {
    if (!declared.endpoints.includes(request.endpoint) || (request.stream && !declared.streaming)) {
      throw new SwitchyardError('UNSUPPORTED', `the reference provider does not serve ${request.endpoint} so`)
    }
    if (declared.models !== 'any' && !request.model.startsWith('fake/')) {
      throw new SwitchyardError('NOT_FOUND', 'the reference provider serves fake/*')
    }
    const type = request.headers?.['content-type']
    const response = await send('POST', request.endpoint, encode(request), signal, type)
    const headers = { 'content-type': response.headers['content-type'] ?? '' }
    if (request.stream) return { status: 200, headers, ...(await streamed(response, request, signal)) }
    const body = await whole(response, signal)
    if (headers['content-type'].startsWith('audio/') && body.length > 0)
      return { status: 200, headers, body, ended: Promise.resolve({ outcome: 'complete', ...usageOf(undefined) }) }
    const json = parse(body.toString())
    const proofs = [json.choices, json.data, json.output, json.content, json.results]
    if (!proofs.some(Array.isArray) && json.text === undefined)
      throw new SwitchyardError('UPSTREAM_INVALID', 'no answer in a 200')
    const finish = json.choices?.[0]?.finish_reason
    const ending = { ...usageOf(json.usage), ...(finish ? { finishReason: finish } : {}) }
    return { status: 200, headers, body, ended: Promise.resolve({ outcome: 'complete', ...ending }) }
  }

  return {
    capabilities: declared,
    invoke,
    async models({ signal } = {}) {
      if (!declared.listing) throw new SwitchyardError('UNSUPPORTED', 'listing is not declared')
      const { data } = parse((await whole(await send('GET', 'models', undefined, signal), signal)).toString())
      return (data ?? []).map((row) => ({ id: `fake/${row.id}`, ownedBy: row.owned_by, createdAt: row.created }))
    },
    async probe(_target, { signal } = {}) {
      await whole(await send('GET', 'models', undefined, signal), signal)
    },
  }
}

async function streamed(
  response: IncomingMessage,
  request: ModelRequest,
  signal: AbortSignal | undefined,
): Promise<Pick<ModelReply, 'body' | 'ended'>> {
  const asked = (request.body.stream_options as { include_usage?: boolean } | undefined)?.include_usage === true
  let ended: Ended = { usage: { inputTokens: 0, outputTokens: 0 }, usageSource: 'none' }
  let counts: Json['usage']
  const settle = Promise.withResolvers<ModelEnding>()

  async function* events(): AsyncGenerator<{ readonly bytes: Uint8Array; readonly content: boolean }> {
    for await (const { text, data } of blocks(response)) {
      const bytes = Buffer.from(text)
      if (data === '[DONE]') {
        yield { bytes, content: false }
        return
      }
      if (data === undefined) {
        yield { bytes, content: false }
        continue
      }
      const chunk = parse(data)
      const [choice] = chunk.choices ?? []
      const finishReason = choice?.finish_reason
      if (finishReason?.endsWith('error'))
        throw new SwitchyardError('UPSTREAM_UNAVAILABLE', 'the upstream finished with an error')
      if (finishReason) ended = { ...ended, finishReason }
      counts = { ...counts, ...(chunk.usage ?? chunk.message?.usage ?? chunk.response?.usage) }
      ended = { ...ended, ...usageOf(counts) }
      if (chunk.choices?.length === 0 && chunk.usage && !asked) continue
      const { delta } = choice ?? {}
      yield { bytes, content: Boolean(delta?.content || delta?.tool_calls || choice?.text || CONTENT.test(chunk.type ?? '')) }
      if (LAST.test(chunk.type ?? '')) return
    }
    throw new SwitchyardError('UPSTREAM_TRUNCATED', 'the stream ended without its terminator')
  }

  const fault = (error: unknown): SwitchyardError => {
    if (signal?.aborted) return left(signal)
    return SwitchyardError.is(error) ? error : new SwitchyardError('UPSTREAM_TRUNCATED', 'the connection was lost')
  }
  const source = events()
  const held: Uint8Array[] = []
  try {
    for (;;) {
      const next = await source.next()
      if (next.done) throw new SwitchyardError('UPSTREAM_INVALID', 'a stream without content')
      held.push(next.value.bytes)
      if (next.value.content) break
    }
  } catch (error) {
    response.destroy()
    throw fault(error)
  }

  const aborted = (): void =>
    settle.resolve({
      outcome: 'aborted',
      error: signal?.aborted ? left(signal) : new SwitchyardError('ABORTED', 'broken off'),
      ...ended,
    })
  signal?.addEventListener('abort', aborted, { once: true })
  async function* body(): AsyncGenerator<Uint8Array> {
    try {
      yield Buffer.concat(held)
      for await (const { bytes } of source) yield bytes
      settle.resolve({ outcome: 'complete', ...ended })
    } catch (cause) {
      const error = fault(cause)
      settle.resolve({ outcome: error.code === 'UPSTREAM_TRUNCATED' ? 'truncated' : 'error', error, ...ended })
      throw error
    } finally {
      aborted()
      response.destroy()
    }
  }
  return { body: body(), ended: settle.promise }
}

const CONTENT = /delta$|partial_image$/
const LAST = /^message_stop$|^response\.completed$|audio\.done$|transcript\.text\.done$|generation\.completed$/

/** Server-sent events with LF line ends; `data` is undefined for comments. */
async function* blocks(
  response: IncomingMessage,
): AsyncGenerator<{ readonly text: string; readonly data: string | undefined }> {
  const decoder = new TextDecoder()
  let text = ''
  let carry = ''
  const cut = function* () {
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const block = text.slice(0, end + 2)
      text = text.slice(end + 2)
      yield { text: block, data: /^data: ?(.*)$/m.exec(block)?.[1] }
    }
  }
  for await (const chunk of response) {
    const piece = carry + decoder.decode(chunk, { stream: true })
    carry = piece.endsWith('\r') ? '\r' : ''
    text += piece.slice(0, piece.length - carry.length).replace(/\r\n?/g, '\n')
    yield* cut()
  }
  text += carry.replace('\r', '\n')
  yield* cut()
}

interface Json {
  readonly type?: string
  readonly choices?: readonly {
    readonly text?: string
    readonly delta?: { readonly content?: string; readonly tool_calls?: unknown }
    readonly finish_reason?: string
  }[]
  readonly data?: readonly { readonly id: string; readonly owned_by: string; readonly created: number }[]
  readonly output?: unknown
  readonly content?: unknown
  readonly results?: unknown
  readonly text?: unknown
  readonly usage?: Readonly<Record<string, number>>
  readonly message?: { readonly usage?: Json['usage'] }
  readonly response?: { readonly usage?: Json['usage'] }
  readonly error?: unknown
}

function parse(text: string): Json {
  let json: Json
  try {
    json = JSON.parse(text)
  } catch {
    throw new SwitchyardError('UPSTREAM_INVALID', 'the upstream sent what is no JSON')
  }
  if (json.error || json.type === 'error') throw new SwitchyardError('UPSTREAM_UNAVAILABLE', 'the upstream sent an error')
  return json
}

function usageOf(raw: Json['usage']): { readonly usage: Usage; readonly usageSource: ModelEnding['usageSource'] } {
  const inside = raw?.prompt_tokens ?? raw?.input_tokens ?? raw?.total_tokens ?? -1
  if (inside < 0) return { usage: { inputTokens: 0, outputTokens: 0 }, usageSource: 'none' }
  const inputTokens = inside + (raw?.cache_read_input_tokens ?? 0)
  const outputTokens = raw?.completion_tokens ?? raw?.output_tokens ?? 0
  return { usage: { inputTokens, outputTokens }, usageSource: 'reported' }
}

function encode({ endpoint, body, raw, model, stream, headers }: ModelRequest): Uint8Array {
  const bare = model.replace(/^fake\//, '')
  if (headers?.['content-type'] !== undefined)
    return Buffer.from(
      Buffer.from(raw ?? [])
        .toString('latin1')
        .replace(`\r\n\r\n${model}\r\n`, `\r\n\r\n${bare}\r\n`),
      'latin1',
    )
  const text = raw === undefined ? JSON.stringify(body) : Buffer.from(raw).toString()
  const named = text.replace(/"model":\s*"[^"]*"/, `"model":${JSON.stringify(bare)}`)
  const unasked = stream && endpoint.endsWith('completions') && body.stream_options === undefined
  return Buffer.from(unasked ? named.replace(/\}\s*$/, ',"stream_options":{"include_usage":true}}') : named)
}

function left(signal: AbortSignal): SwitchyardError {
  return SwitchyardError.is(signal.reason) ? signal.reason : new SwitchyardError('ABORTED', 'the caller left')
}

function refusal(status: number, headers: IncomingMessage['headers']): SwitchyardError {
  const message = `the upstream answered ${status}`
  if (status === 408) return new SwitchyardError('TIMEOUT', message)
  if (status >= 500) return new SwitchyardError('UPSTREAM_UNAVAILABLE', message)
  if (status !== 429) return new SwitchyardError('UPSTREAM_REJECTED', message)
  const after = headers['retry-after']
  const ms =
    headers['retry-after-ms'] ??
    (/^\d+$/.test(after ?? '') ? Number(after) * 1000 : Date.parse(after ?? '') - Date.parse(headers.date ?? ''))
  const read = Number(ms)
  return new SwitchyardError('RATE_LIMITED', message, Number.isFinite(read) && read >= 0 ? { retryAfterMs: read } : {})
}
