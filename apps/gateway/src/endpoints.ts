import type { ModelEndpoint } from '@switchyard/contract'

/** What is served, each by POST at `/v1/` and its name. */
export const ENDPOINTS: readonly ModelEndpoint[] = [
  'chat/completions',
  'completions',
  'responses',
  'messages',
  'embeddings',
  'rerank',
  'moderations',
  'images/generations',
  'audio/speech',
  'audio/transcriptions',
]
