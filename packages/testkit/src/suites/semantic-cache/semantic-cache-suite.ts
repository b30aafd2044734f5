import { type SemanticCache, semanticCache } from '@switchyard/contract'
import type { Suite } from '../../conformance/suite.ts'
import { semanticCacheCases } from './cases.ts'
import { semanticCacheMutants } from './mutants.ts'

/** What all semantic caches promise, before they have learnt anything, and ones that break each promise. */
export const semanticCacheSuite: Suite<SemanticCache> = {
  port: semanticCache,
  cases: semanticCacheCases,
  mutants: semanticCacheMutants,
}
