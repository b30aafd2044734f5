import type { ModelRequest, Usage } from '@switchyard/contract'

/** About four bytes a token in English text; the estimate of last resort, always marked as one. */
const BYTES_PER_TOKEN = 4

/** Tokens of so many bytes of text, rounded up. */
export function tokensOfBytes(bytes: number): number {
  return Math.ceil(bytes / BYTES_PER_TOKEN)
}

/** An estimate from what was sent and what came back. */
export function estimateUsage(request: ModelRequest, outputBytes: number): Usage {
  const sent = request.raw?.byteLength ?? JSON.stringify(request.body).length
  return { inputTokens: tokensOfBytes(sent), outputTokens: tokensOfBytes(outputBytes) }
}
