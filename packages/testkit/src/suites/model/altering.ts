import type { ModelEnding, ModelProvider, ModelReply, ModelRequest } from '@switchyard/contract'
import type { ModelMutant, OpenedModel } from './model-fixture.ts'
import { eventsOf } from './reading.ts'

type Options = Parameters<ModelProvider['invoke']>[1]

/** A right provider with some members replaced; the others still see the right one as `this`. */
export function altered(instance: ModelProvider, members: Partial<ModelProvider>): ModelProvider {
  return {
    capabilities: instance.capabilities,
    invoke: (request, options) => instance.invoke(request, options),
    models: (options) => instance.models(options),
    probe: (target, options) => instance.probe(target, options),
    ...members,
  }
}

/** A mutant whose calls go wrong. */
export function callMutant(
  name: string,
  killedBy: string,
  invoke: (right: ModelProvider, request: ModelRequest, options: Options, opened: OpenedModel) => Promise<ModelReply>,
): ModelMutant {
  return {
    name,
    killedBy: `model.invoke.${killedBy}`,
    mutate: (instance, opened) =>
      altered(instance, { invoke: (request, options) => invoke(instance, request, options, opened) }),
  }
}

/** A mutant whose requests are changed before they are sent. */
export function requestMutant(
  name: string,
  killedBy: string,
  change: (request: ModelRequest, opened: OpenedModel) => ModelRequest,
): ModelMutant {
  return callMutant(name, killedBy, (right, request, options, opened) => right.invoke(change(request, opened), options))
}

/** A mutant whose replies are changed. */
export function replyMutant(
  name: string,
  killedBy: string,
  change: (reply: ModelReply, request: ModelRequest, opened: OpenedModel) => ModelReply,
): ModelMutant {
  return callMutant(name, killedBy, async (right, request, options, opened) =>
    change(await right.invoke(request, options), request, opened),
  )
}

/** A mutant whose errors are changed, or thrown in another way. */
export function errorMutant(
  name: string,
  killedBy: string,
  change: (error: unknown, opened: OpenedModel) => unknown,
): ModelMutant {
  return callMutant(name, killedBy, async (right, request, options, opened) => {
    try {
      return await right.invoke(request, options)
    } catch (error) {
      throw change(error, opened)
    }
  })
}

/** A mutant that answers where it should have rejected. */
export function answerMutant(name: string, killedBy: string): ModelMutant {
  return callMutant(name, killedBy, (right, request, options) =>
    right
      .invoke(request, options)
      .catch((): ModelReply => madeUp('{"error":{"message":"something went wrong"}}', request.stream)),
  )
}

/** A mutant whose endings are changed. */
export function endingMutant(name: string, killedBy: string, change: (ending: ModelEnding) => ModelEnding): ModelMutant {
  return replyMutant(name, killedBy, (reply) => ({ ...reply, ended: reply.ended.then(change) }))
}

/** A mutant whose streams are changed; whole replies stay right. */
export function streamMutant(
  name: string,
  killedBy: string,
  change: (source: AsyncIterable<Uint8Array>, opened: OpenedModel, request: ModelRequest) => AsyncIterable<Uint8Array>,
): ModelMutant {
  return replyMutant(name, killedBy, (reply, request, opened) =>
    reply.body instanceof Uint8Array ? reply : { ...reply, body: change(reply.body, opened, request) },
  )
}

/** A mutant that hands out other events than came: `change` gives the data in place of one event's, or undefined for none. */
export function eventMutant(name: string, killedBy: string, change: (data: string) => string | undefined): ModelMutant {
  return streamMutant(name, killedBy, async function* (source) {
    for await (const chunk of source) {
      for (const data of eventsOf(chunk)) {
        const changed = change(data)
        if (changed !== undefined) yield new TextEncoder().encode(`data: ${changed}\n\n`)
      }
    }
  })
}

/** Ends where it should reject. */
export async function* quiet(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* source
  } catch {
    return
  }
}

/** A reply out of thin air. */
export function madeUp(text: string, stream: boolean): ModelReply {
  const bytes = new TextEncoder().encode(stream ? `data: ${text}\n\n` : text)
  const body = stream
    ? (async function* () {
        yield bytes
      })()
    : bytes
  return {
    status: 200,
    headers: { 'content-type': stream ? 'text/event-stream' : 'application/json' },
    body,
    ended: Promise.resolve({ outcome: 'complete', usage: { inputTokens: 0, outputTokens: 0 }, usageSource: 'none' }),
  }
}
