import { definePlugin, model, type PluginFactory, type SetupContext, type SetupResult } from '@switchyard/contract'
import { createEgress } from '@switchyard/egress'
import { checkGateway } from './gateway-check.ts'
import { type PortkeyInput, type PortkeyOptions, portkeyOptions } from './options.ts'
import { portkeyProvider } from './portkey-provider.ts'
import type { CreateHeaders } from './provider-headers.ts'

/** Every model that Portkey reaches, hosted or self-hosted, as port `model`. */
export const portkey: PluginFactory<PortkeyInput> = definePlugin({
  name: '@switchyard/provider-portkey',
  contract: 1,
  options: portkeyOptions,
  provides: { model },
  setup,
})

async function setup(ctx: SetupContext<PortkeyOptions, unknown>): Promise<SetupResult<{ model: typeof model }>> {
  const { options, instance, clock } = ctx
  const egress = createEgress(
    {
      schemes: ['https:', 'http:'],
      allow: options.egress.allow,
      connectTimeoutMs: options.connectTimeoutMs,
      headersTimeoutMs: options.headersTimeoutMs,
      bodyIdleTimeoutMs: options.streamIdleTimeoutMs,
      totalTimeoutMs: options.totalTimeoutMs,
      connections: options.maxConnections,
    },
    { plugin: instance, clock },
  )
  ctx.onClose(() => egress.close())
  // The SDK wraps a whole OpenAI client and takes some 170 ms to load: once, here, and only for its header builder.
  const { createHeaders } = (await import('portkey-ai')) as unknown as { createHeaders: CreateHeaders }
  const provider = portkeyProvider({ options, instance, egress, clock, createHeaders })
  return {
    ports: { model: provider },
    serves: { 'model.invoke': (call) => provider.invoke(call.request, call) },
    ...(options.apiKey === undefined && { health: (signal) => checkGateway(egress, options.baseUrl, instance, signal) }),
  }
}
