import type { ModelRequest, Usage } from '@switchyard/contract'
import { estimateRequest } from '../tokens/estimate-request.ts'
import { tokenFamily } from '../tokens/family.ts'

/** About four bytes a token in English text; a stream's text is not kept, so its bytes are all that is known of it. */
const BYTES_PER_TOKEN = 4

/** Tokens of so many bytes of text, rounded up. */
export function tokensOfBytes(bytes: number): number {
  return Math.ceil(bytes / BYTES_PER_TOKEN)
}

/** An estimate from what was sent, as its model would read it, and how much came back. */
export function estimateUsage(request: ModelRequest, outputBytes: number): Usage {
  const { body, endpoint, model, raw } = request
  const { inputTokens } = estimateRequest(body, endpoint, { family: tokenFamily(model), bytes: raw?.byteLength })
  return { inputTokens, outputTokens: tokensOfBytes(outputBytes) }
}
