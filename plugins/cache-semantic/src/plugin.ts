import { definePlugin, type PluginFactory } from '@switchyard/contract'
import { type CacheSemanticInput, cacheSemanticOptions } from './options.ts'

/**
 * The semantic cache's options in an assembly. It adds no policy to calls: the audited policy, the encoder and the harness are had from
 * this package, and are driven by whoever holds the answers.
 */
export const cacheSemantic: PluginFactory<CacheSemanticInput> = definePlugin({
  name: '@switchyard/cache-semantic',
  contract: 1,
  options: cacheSemanticOptions,
  setup: () => ({ ports: {} }),
})
