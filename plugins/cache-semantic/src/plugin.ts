import {
  budgets,
  bus,
  cache,
  definePlugin,
  type Embedder,
  embedder,
  many,
  model,
  optional,
  type PluginFactory,
  type Port,
  router,
  type SemanticCache,
  semanticCache,
  vectors,
} from '@switchyard/contract'
import { assemble } from './assemble.ts'
import { hashedEmbedder } from './encoder/hashed-embedder.ts'
import { type CacheSemanticInput, cacheSemanticOptions } from './options.ts'

const provides: { readonly embedder: Port<Embedder>; readonly semanticCache: Port<SemanticCache> } = { embedder, semanticCache }

/**
 * Stored answers for questions that were asked in other words, as the port `semantic-cache`, and the embedded encoder as an `embedder`.
 * Finds nothing where the assembly has no `vectors`. What is learnt outlives the process where it has a `cache`, and is shared where it has
 * a `bus`. It adds no policy to calls: whoever holds the answers asks it.
 */
export const cacheSemantic: PluginFactory<CacheSemanticInput> = definePlugin({
  name: '@switchyard/cache-semantic',
  contract: 1,
  options: cacheSemanticOptions,
  requires: {
    vectors: optional(vectors),
    cache: optional(cache),
    bus: optional(bus),
    budgets: optional(budgets),
    providers: many(model),
    routers: many(router),
  },
  provides,
  setup: async (ctx) => ({ ports: { embedder: hashedEmbedder(ctx.options), semanticCache: await assemble(ctx) } }),
})
