import assert from 'node:assert/strict'
import type {
  ErrorCode,
  ModelEnding,
  ModelEndpoint,
  ModelProvider,
  ModelReply,
  ModelRequest,
  SwitchyardError,
} from '@switchyard/contract'
import { rejectsWith } from '../../conformance/rejects-with.ts'
import type { ModelCase, OpenedModel } from './model-fixture.ts'

/** Longest time, in real ms, between a cause and what must follow from it at once. */
export const AT_ONCE_MS = 1000

export interface Asking {
  readonly stream?: boolean
  /** Laid over the usual body. */
  readonly body?: Readonly<Record<string, unknown>>
  readonly raw?: Uint8Array
  readonly headers?: Readonly<Record<string, string>>
  readonly model?: string
  readonly endpoint?: ModelEndpoint
  readonly signal?: AbortSignal
}

/** The request of a plain chat, changed as asked. */
export function requestOf({ fixture }: OpenedModel, asking: Asking = {}): ModelRequest {
  const model = asking.model ?? fixture.model
  return {
    endpoint: asking.endpoint ?? 'chat/completions',
    model,
    body: {
      model,
      messages: [{ role: 'user', content: 'Say something.' }],
      ...(asking.stream ? { stream: true } : {}),
      ...asking.body,
    },
    stream: asking.stream ?? false,
    ...(asking.raw === undefined ? {} : { raw: asking.raw }),
    ...(asking.headers === undefined ? {} : { headers: asking.headers }),
  }
}

/** Sends a chat to the instance. */
export function ask(opened: OpenedModel, asking: Asking = {}): Promise<ModelReply> {
  return opened.instance.invoke(requestOf(opened, asking), asking.signal === undefined ? {} : { signal: asking.signal })
}

/** Asks, and expects one of the codes; what resolves all the same is ended. */
export function refuses(
  opened: OpenedModel,
  codes: ErrorCode | readonly ErrorCode[],
  what: string,
  asking: Asking = {},
): Promise<SwitchyardError> {
  return rejectsWith(
    async () => {
      const reply = await within(5000, what, ask(opened, asking))
      if (!(reply.body instanceof Uint8Array)) await breakOff(reply).catch(() => {})
      return { status: reply.status }
    },
    codes,
    what,
  )
}

/** A promise of the chat endpoint. */
export function onChat(given: Pick<ModelCase, 'id' | 'promise' | 'check'>): ModelCase {
  return {
    ...given,
    declared: chats,
    undeclared: (opened) => unsupported(opened, { stream: false }),
  }
}

/** A promise of streamed chats. */
export function onStream(given: Pick<ModelCase, 'id' | 'promise' | 'check'>): ModelCase {
  return {
    ...given,
    declared: (instance) => chats(instance) && instance.capabilities.streaming,
    undeclared: (opened) => unsupported(opened, { stream: true }),
  }
}

function chats({ capabilities }: ModelProvider): boolean {
  return capabilities.endpoints.includes('chat/completions')
}

/** What is not declared rejects before a byte leaves. */
export async function unsupported(opened: OpenedModel, asking: Asking): Promise<void> {
  const what = `${asking.stream ? 'a stream of ' : ''}${asking.endpoint ?? 'chat/completions'}, which is not declared,`
  await refuses(opened, 'UNSUPPORTED', what, asking)
  assert.equal(opened.fixture.upstream.requests.length, 0, `${what} must not reach the upstream`)
}

/** The bytes of a whole reply. */
export function wholeBody(reply: ModelReply): Uint8Array {
  assert.ok(reply.body instanceof Uint8Array, 'a request with stream: false must be answered with a whole body')
  return reply.body
}

/** A whole reply as JSON. */
export function wholeJson(reply: ModelReply): Record<string, unknown> {
  return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(wholeBody(reply)))
}

/** `choices[0].message.content` of a whole chat. */
export function contentOf(reply: ModelReply): unknown {
  const { choices } = wholeJson(reply) as { choices?: readonly { message?: { content?: unknown } }[] }
  return choices?.[0]?.message?.content
}

/** How a reply ended; it must say so at once after its last byte. */
export function endingOf(reply: ModelReply): Promise<ModelEnding> {
  return within(AT_ONCE_MS, '`ended` of a reply that is over', reply.ended)
}

/** Reads no more than the first chunk and leaves. */
export async function breakOff(reply: ModelReply): Promise<void> {
  assert.ok(!(reply.body instanceof Uint8Array), 'a request with stream: true must be answered with a stream')
  for await (const _ of reply.body) break
}

/** Rejects when a promise takes longer, in real time. */
export function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new assert.AssertionError({ message: `${what} did not settle within ${ms} ms` })), ms)
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
