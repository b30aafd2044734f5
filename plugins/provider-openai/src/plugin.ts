import {
  type Awaitable,
  definePlugin,
  type ModelProvider,
  model,
  type PluginFactory,
  type SetupContext,
  type SetupResult,
} from '@switchyard/contract'
import { createEgress } from '@switchyard/egress'
import { openAiProvider } from './openai-provider.ts'
import { type OpenAiInput, type OpenAiOptions, openAiOptions } from './options.ts'

/** Any model API of OpenAI's or Anthropic's kind as port `model`, reached directly. */
export const openai: PluginFactory<OpenAiInput> = definePlugin({
  name: '@switchyard/provider-openai',
  contract: 1,
  options: openAiOptions,
  provides: { model },
  setup,
})

function setup(ctx: SetupContext<OpenAiOptions, unknown>): Awaitable<SetupResult<{ model: typeof model }>> {
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
  const provider: ModelProvider = openAiProvider({ options, instance, egress, clock })
  return {
    ports: { model: provider },
    serves: { 'model.invoke': (call) => provider.invoke(call.request, call) },
  }
}
