import { type ModelEndpoint, model } from '@switchyard/contract'
import { startKernel } from '@switchyard/kernel'
import { modelDirectory } from '../model-directory.ts'
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
    const { target, model: name } = modelDirectory(kernel.all(model)).resolve(options.model, {})
    const content =
      options.endpoint === 'embeddings'
        ? { input: options.message }
        : { messages: [{ role: 'user', content: options.message }] }
    const explanation = await kernel.explain('model.invoke', {
      target,
      principal: { tenant: 'local', keyId: 'local', roles: ['admin'] },
      request: {
        endpoint: options.endpoint,
        model: name,
        body: { model: name, stream: options.stream, ...content },
        stream: options.stream,
      },
      idempotent: true,
    })
    console.log(JSON.stringify({ model: name, endpoint: options.endpoint, stream: options.stream, ...explanation }, null, 2))
  })
}
