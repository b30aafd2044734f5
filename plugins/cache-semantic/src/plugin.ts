import { definePlugin, type Embedder, embedder, type PluginFactory, type Port } from '@switchyard/contract'
import { hashedEmbedder } from './encoder/hashed-embedder.ts'
import { type CacheSemanticInput, cacheSemanticOptions } from './options.ts'

const provides: { readonly embedder: Port<Embedder> } = { embedder }

/**
 * The embedded encoder, for whoever asks for an `embedder`; it needs no weights and no network. It adds no policy to calls: the audited
 * policy and the harness are had from this package, and are driven by whoever holds the answers.
 */
export const cacheSemantic: PluginFactory<CacheSemanticInput> = definePlugin({
  name: '@switchyard/cache-semantic',
  contract: 1,
  options: cacheSemanticOptions,
  provides,
  setup: ({ options }) => ({ ports: { embedder: hashedEmbedder(options) } }),
})
