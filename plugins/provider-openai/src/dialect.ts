import type { ModelEndpoint, Secret } from '@switchyard/contract'

/** Whose API an upstream's is like: how it takes its key and lists its models, and what the options fall back to. */
export interface Dialect {
  readonly provider: string
  readonly baseUrl: string
  /** What the vendor's own API speaks. */
  readonly endpoints: readonly ModelEndpoint[]
  readonly forwardHeaders: readonly string[]
  readonly models: string
  readonly headers: Readonly<Record<string, string>>
  readonly credential: (key: Secret) => Readonly<Record<string, string>>
}

export const DIALECTS: Readonly<Record<'openai' | 'anthropic', Dialect>> = {
  openai: {
    provider: 'openai',
    baseUrl: 'https://api.openai.com/v1',
    endpoints: [
      'chat/completions',
      'completions',
      'embeddings',
      'responses',
      'moderations',
      'images/generations',
      'audio/speech',
      'audio/transcriptions',
    ],
    forwardHeaders: [],
    models: '/models',
    headers: {},
    credential: (key) => ({ authorization: `Bearer ${key.reveal()}` }),
  },
  anthropic: {
    provider: 'anthropic',
    baseUrl: 'https://api.anthropic.com/v1',
    endpoints: ['messages'],
    // What a client asks for by them is part of its request; the credential is not.
    forwardHeaders: ['anthropic-beta'],
    // The most that one page holds; the default is 20.
    models: '/models?limit=1000',
    headers: { 'anthropic-version': '2023-06-01' },
    credential: (key) => ({ 'x-api-key': key.reveal() }),
  },
}
