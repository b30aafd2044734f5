import type { ModelEndpoint } from '@switchyard/contract'
import { startKernel } from '@switchyard/kernel'
import { directoryOf } from '../directory-of.ts'
import { type PlanOptions, planned } from './check.ts'
import { orFail } from './failure.ts'

export interface ExplainOptions extends PlanOptions {
  readonly model: string
  readonly message: string
  readonly endpoint: ModelEndpoint
  readonly stream: boolean
}

/** `switchyard explain`: the decisions about one request as JSON. Starts the plugins, but no child process, no server and no call. */
export async function explainCommand(options: ExplainOptions): Promise<void> {
  await orFail(async () => {
    const { assembly } = await planned(options)
    await using kernel = await startKernel(assembly)
    const { target, model: name, deployment } = directoryOf(kernel).resolve(options.model, {})
    const content = contentFor(options.endpoint, options.message)
    const explanation = await kernel.explain('model.invoke', {
      target,
      principal: { tenant: 'local', keyId: 'local', roles: ['admin'] },
      request: {
        endpoint: options.endpoint,
        model: name,
        body: { model: name, stream: options.stream, ...content },
        stream: options.stream,
      },
      ...(deployment !== undefined && { attributes: { deployment } }),
      idempotent: true,
    })
    console.log(JSON.stringify({ model: name, endpoint: options.endpoint, stream: options.stream, ...explanation }, null, 2))
  })
}

/** What makes a request of a text, as the endpoint has it. */
function contentFor(endpoint: ModelEndpoint, text: string): Readonly<Record<string, unknown>> {
  switch (endpoint) {
    case 'chat/completions':
      return { messages: [{ role: 'user', content: text }] }
    case 'messages':
      return { max_tokens: 1024, messages: [{ role: 'user', content: text }] }
    case 'completions':
    case 'images/generations':
      return { prompt: text }
    case 'rerank':
      return { query: text, documents: [text] }
    default:
      return { input: text }
  }
}
