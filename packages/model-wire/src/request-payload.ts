import { type ModelRequest, SwitchyardError } from '@switchyard/contract'
import { requestBytes } from './edit-top-level.ts'
import { editFormField, isForm } from './form.ts'

/** What to send for a request. */
export interface RequestPayload {
  readonly bytes: Uint8Array
  /** Of a form, with its boundary. Undefined is JSON. */
  readonly contentType: string | undefined
}

/**
 * The client's own bytes with top-level values changed: JSON, or the form with a file that `audio/transcriptions` comes in, in which
 * only the model can be. Throws `UNSUPPORTED` for a form that has no bytes any more, since its file is nowhere else, and
 * `INVALID_REQUEST` for one that is not whole or plain.
 */
export function requestPayload(
  request: ModelRequest,
  changes: Readonly<Record<string, unknown>> & { readonly model: string },
): RequestPayload {
  if (request.endpoint === 'audio/transcriptions') {
    const contentType = request.headers?.['content-type']
    if (isForm(contentType))
      return { bytes: editFormField(formBytes(request), contentType, 'model', changes.model), contentType }
  }
  return { bytes: requestBytes(request, changes), contentType: undefined }
}

function formBytes({ raw, endpoint }: ModelRequest): Uint8Array {
  if (raw !== undefined) return raw
  const mend = 'its file is in the bytes that came, so no policy may change the body of such a request'
  throw new SwitchyardError('UNSUPPORTED', `a form for ${endpoint} cannot be sent changed: ${mend}`)
}
