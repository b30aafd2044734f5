import { type ModelEndpoint, SwitchyardError } from '@switchyard/contract'
import { formFields, isForm } from '@switchyard/model-wire'
import { parseObject } from '../server/body.ts'

/** Names go into logs, caches and counters. The longest that providers have are ARNs, of 2,048. */
const MAX_MODEL_LENGTH = 2_048

/** A model request's body as far as the gateway has to understand it. */
export interface ModelBody {
  readonly body: Readonly<Record<string, unknown>>
  readonly model: string
  readonly stream: boolean
}

/**
 * Reads JSON, or of `audio/transcriptions` a form with a file, whose bytes stay as they are. Throws `INVALID_REQUEST` for a body that
 * is neither, without a model, or with a `stream` that is no truth value.
 */
export function modelBody(endpoint: ModelEndpoint, raw: Buffer, contentType: string | undefined): ModelBody {
  if (endpoint === 'audio/transcriptions' && isForm(contentType)) {
    const body = formFields(raw, contentType)
    return { body, model: modelIn(body), stream: body.stream === 'true' }
  }
  const body = parseObject(raw)
  const model = modelIn(body)
  const { stream } = body
  if (stream !== undefined && stream !== null && typeof stream !== 'boolean')
    throw new SwitchyardError('INVALID_REQUEST', "'stream' must be true or false", { details: { param: 'stream' } })
  return { body, model, stream: stream === true || (endpoint === 'audio/speech' && body.stream_format === 'sse') }
}

function modelIn({ model }: Readonly<Record<string, unknown>>): string {
  if (typeof model === 'string' && model !== '' && model.length <= MAX_MODEL_LENGTH) return model
  if (typeof model === 'string' && model !== '')
    throw new SwitchyardError('INVALID_REQUEST', `'model' is longer than ${MAX_MODEL_LENGTH} characters`, {
      details: { param: 'model' },
    })
  throw new SwitchyardError('INVALID_REQUEST', '\'model\' is required: a string such as "demo/chat"', {
    details: { param: 'model' },
  })
}
