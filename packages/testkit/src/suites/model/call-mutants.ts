import { type ModelReply, SwitchyardError } from '@switchyard/contract'
import { altered, answerMutant, callMutant, endingMutant, errorMutant, madeUp, replyMutant, requestMutant } from './altering.ts'
import { wholeBody, wholeJson } from './asking.ts'
import type { ModelMutant, OpenedModel } from './model-fixture.ts'

const TEXT = new TextEncoder()

/** What goes wrong with a call: with its request, its whole reply, or the errors that stand for one. */
export const callMutants: readonly ModelMutant[] = [
  requestMutant('drops-unknown-fields', 'forwards-body', (request) => {
    const { model, messages, stream, input } = request.body
    return { ...request, body: { model, messages, stream, input } }
  }),
  requestMutant('reencodes-raw', 'keeps-raw-numbers', (request) =>
    request.raw === undefined ? request : { ...request, raw: TEXT.encode(JSON.stringify(request.body)) },
  ),
  requestMutant('prefers-the-model-in-the-body', 'names-the-model', (request) => ({
    ...request,
    model: String(request.body.model ?? request.model),
  })),
  callMutant('sends-raw-as-it-stands', 'names-the-model-in-raw', async (_right, request, _options, opened) =>
    direct(opened, new TextDecoder().decode(request.raw)),
  ),
  requestMutant('mangles-unicode', 'sends-unicode', (request) => ({
    ...request,
    body: JSON.parse(Buffer.from(JSON.stringify(request.body)).toString('latin1')),
  })),
  callMutant('forgets-its-key', 'presents-its-key', (_right, request, _options, opened) =>
    direct(opened, JSON.stringify({ ...request.body, model: opened.fixture.upstreamModel })),
  ),
  callMutant('repeats-failures-by-itself', 'sends-once', (right, request, options) =>
    right.invoke(request, options).catch(() => right.invoke(request, options)),
  ),
  {
    name: 'shares-a-reply',
    killedBy: 'model.invoke.keeps-calls-apart',
    mutate(instance) {
      let running: Promise<ModelReply> | undefined
      return altered(instance, {
        invoke(request, options) {
          running ??= instance.invoke(request, options).finally(() => {
            running = undefined
          })
          return running
        },
      })
    },
  },
  replyMutant('answers-latin1', 'answers-whole', (reply) => ({
    ...reply,
    body: TEXT.encode(Buffer.from(wholeBody(reply)).toString('latin1')),
  })),
  replyMutant('reencodes-replies', 'hands-out-bytes', (reply, _request, { fixture }) => ({
    ...reply,
    body: TEXT.encode(JSON.stringify(fixture.verbatim ? wholeJson(reply) : {})),
  })),
  replyMutant('hands-on-hop-by-hop-headers', 'cleans-headers', (reply) => ({
    ...reply,
    headers: { ...reply.headers, 'transfer-encoding': 'chunked' },
  })),
  replyMutant('hands-on-content-length', 'cleans-headers', (reply) => ({
    ...reply,
    headers: { ...reply.headers, 'content-length': '17' },
  })),
  replyMutant('keeps-header-case', 'cleans-headers', (reply) => ({
    ...reply,
    headers: { 'content-type': 'application/json', 'X-Request-Id': 'req_1' },
  })),
  endingMutant('counts-cached-tokens-twice', 'reports-usage', (ending) => ({
    ...ending,
    usage: { ...ending.usage, inputTokens: ending.usage.inputTokens + (ending.usage.cacheReadTokens ?? 3) },
  })),
  endingMutant('calls-every-usage-reported', 'invents-no-usage', (ending) => ({ ...ending, usageSource: 'reported' })),
  endingMutant('hands-on-negative-usage', 'invents-no-usage', (ending) =>
    ending.usageSource === 'reported' ? ending : { ...ending, usage: { inputTokens: -1, outputTokens: -1 } },
  ),
  replyMutant('never-ends', 'ends-whole', (reply) => ({ ...reply, ended: new Promise(() => {}) })),
  endingMutant('always-finishes-with-stop', 'says-why-it-finished', (ending) => ({ ...ending, finishReason: 'stop' })),
  replyMutant('loses-a-vector', 'embeds', (reply) => {
    const json = wholeJson(reply) as { data: readonly unknown[] }
    return { ...reply, body: TEXT.encode(JSON.stringify({ ...json, data: json.data.slice(1) })) }
  }),
  replyMutant('rejects-no-vectors', 'embeds-nothing', (reply) => {
    if ((wholeJson(reply) as { data: readonly unknown[] }).data.length > 0) return reply
    throw new SwitchyardError('UPSTREAM_INVALID', 'no vectors')
  }),
  errorMutant('has-one-code-for-all', 'rejects-error-status', (error) => recoded(error, 'UPSTREAM_UNAVAILABLE')),
  errorMutant('calls-every-failure-retryable', 'says-whether-to-repeat', (error) => changed(error, { retryable: true })),
  errorMutant('blames-the-caller', 'owns-a-refused-key', (error) => recoded(error, 'UNAUTHENTICATED')),
  errorMutant('forgets-retry-after', 'reads-retry-after', (error) => changed(error, { retryAfterMs: undefined })),
  errorMutant('takes-seconds-for-milliseconds', 'reads-retry-after', (error) =>
    changed(error, { retryAfterMs: ((error as SwitchyardError).retryAfterMs ?? 0) / 1000 }),
  ),
  errorMutant('hands-on-a-bad-retry-after', 'bears-a-bad-retry-after', (error) => changed(error, { retryAfterMs: Number.NaN })),
  answerMutant('answers-with-garbage', 'rejects-what-is-no-answer'),
  answerMutant('answers-with-an-error', 'rejects-error-in-200'),
  answerMutant('answers-with-half-a-body', 'rejects-half-a-body'),
  errorMutant('throws-raw-errors', 'rejects-a-lost-connection', () =>
    Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }),
  ),
  errorMutant('calls-a-dead-upstream-internal', 'rejects-a-dead-upstream', (error) => recoded(error, 'INTERNAL')),
  callMutant('follows-redirects', 'follows-no-redirect', (_right, request, _options, opened) =>
    direct(opened, JSON.stringify({ ...request.body, model: opened.fixture.upstreamModel })),
  ),
  errorMutant('shows-its-key', 'keeps-its-secrets', (error, { fixture }) =>
    changed(error, { cause: { request: { headers: { authorization: `Bearer ${fixture.apiKey}` } } } }),
  ),
  requestMutant('sends-what-is-not-declared', 'refuses-undeclared-endpoints', (request) => ({
    ...request,
    endpoint: 'chat/completions',
  })),
  requestMutant('serves-any-model', 'refuses-undeclared-models', (request, { fixture }) => ({
    ...request,
    model: fixture.model,
  })),
  {
    name: 'lists-twice',
    killedBy: 'model.models.lists',
    mutate: (instance) =>
      altered(instance, {
        models: async (options) => [...(await instance.models(options)), ...(await instance.models(options))],
      }),
  },
  {
    name: 'lists-without-provider',
    killedBy: 'model.models.lists',
    mutate: (instance) =>
      altered(instance, {
        models: async (options) =>
          (await instance.models(options)).map((card) => ({ ...card, id: card.id.replace(/^.*\//, '') })),
      }),
  },
  {
    name: 'lists-nothing-on-failure',
    killedBy: 'model.models.rejects-failures',
    mutate: (instance) => altered(instance, { models: (options) => instance.models(options).catch(() => []) }),
  },
  {
    name: 'probes-nothing',
    killedBy: 'model.probe.resolves',
    mutate: (instance) => altered(instance, { probe: async () => {} }),
  },
  {
    name: 'swallows-a-failing-probe',
    killedBy: 'model.probe.rejects',
    mutate: (instance) => altered(instance, { probe: (...args) => instance.probe(...args).catch(() => {}) }),
  },
  {
    name: 'probes-without-signal',
    killedBy: 'model.probe.aborts',
    mutate: (instance) => altered(instance, { probe: (target) => instance.probe(target) }),
  },
]

/** Past the provider, as a careless one would: no key, redirects followed. */
async function direct({ fixture }: OpenedModel, body: string): Promise<ModelReply> {
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body }
  const response = await fetch(`${fixture.upstream.url}/chat/completions`, init)
  return madeUp(await response.text(), false)
}

type Changes = { retryable?: boolean; retryAfterMs?: number | undefined; cause?: unknown }

function changed(error: unknown, changes: Changes): unknown {
  if (!SwitchyardError.is(error)) return error
  return Object.assign(recoded(error, error.code) as object, changes)
}

function recoded(error: unknown, code: SwitchyardError['code']): unknown {
  if (!SwitchyardError.is(error)) return error
  const { retryAfterMs } = error
  return new SwitchyardError(code, error.message, {
    retryable: error.retryable,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  })
}
