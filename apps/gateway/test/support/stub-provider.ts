import { definePlugin, type ModelEndpoint, type ModelProvider, type ModelReply, model, type Plugin } from '@switchyard/contract'
import { z } from 'zod'

export interface StubProvider {
  /** Serves `NAME/*`; also the instance's name. */
  readonly name: string
  /** Default: chat. */
  readonly endpoints?: readonly ModelEndpoint[]
  readonly invoke?: ModelProvider['invoke']
  readonly models?: ModelProvider['models']
  readonly health?: () => Promise<void>
  readonly setup?: (signal: AbortSignal) => Promise<void>
}

/** A model provider that does what the test says, without a network. Its replies name it. */
export function stubProvider(stub: StubProvider): Plugin {
  const provider: ModelProvider = {
    capabilities: {
      endpoints: stub.endpoints ?? ['chat/completions'],
      streaming: true,
      models: [`${stub.name}/*`],
      listing: stub.models !== undefined,
      cancels: true,
    },
    invoke: stub.invoke ?? (async () => wholeReply({ from: stub.name })),
    models: stub.models ?? (async () => []),
    probe: async () => {},
  }
  const factory = definePlugin({
    name: stub.name,
    contract: 1,
    options: z.strictObject({}),
    provides: { model },
    async setup(ctx) {
      await stub.setup?.(ctx.signal)
      return {
        ports: { model: provider },
        serves: { 'model.invoke': (call) => provider.invoke(call.request, call) },
        ...(stub.health && { health: stub.health }),
      }
    },
  })
  return factory()
}

/** A reply that is there at once, as JSON. */
export function wholeReply(body: object): ModelReply {
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify(body)),
    ended: Promise.resolve({ outcome: 'complete', usage: { inputTokens: 1, outputTokens: 1 }, usageSource: 'reported' }),
  }
}
