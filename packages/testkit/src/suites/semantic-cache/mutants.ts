import type { SemanticCache, SemanticFinding } from '@switchyard/contract'
import type { Mutant } from '../../conformance/suite.ts'
import { KEY } from './asking.ts'

/** A semantic cache that does otherwise than a right one; what `change` leaves out stays right. */
function mutant(
  name: string,
  killedBy: string,
  change: (right: SemanticCache) => Partial<SemanticCache>,
): Mutant<SemanticCache> {
  return {
    name,
    killedBy: `semantic-cache.${killedBy}`,
    mutate: (right) => ({
      find: (question, options) => right.find(question, options),
      counted: (population) => right.counted(population),
      reject: (wrong) => right.reject(wrong),
      standings: () => right.standings(),
      ...change(right),
    }),
  }
}

/** One whose findings are changed on their way out. */
function altered(
  name: string,
  killedBy: string,
  alter: (finding: SemanticFinding, epsilon: number | undefined) => SemanticFinding,
): Mutant<SemanticCache> {
  return mutant(name, killedBy, (right) => ({
    find: async (question, options) => alter(await right.find(question, options), question.epsilon),
  }))
}

const served = (finding: SemanticFinding): SemanticFinding => ({ ...finding, outcome: 'hit', key: KEY })

/** Semantic caches that break each promise. */
export const semanticCacheMutants: readonly Mutant<SemanticCache>[] = [
  altered('keeps-nothing', 'find.sees-what-was-settled', (finding) => ({ ...finding, settle: () => {} })),
  altered('tells-distances', 'find.sees-what-was-settled', (finding) => ({
    ...finding,
    similarity: finding.similarity === undefined ? undefined : 1 - finding.similarity,
  })),
  altered('keeps-for-ever', 'find.sees-what-was-settled', (finding) => ({
    ...finding,
    settle: (fresh) => finding.settle(fresh && { ...fresh, expiresAt: Number.MAX_SAFE_INTEGER }),
  })),
  mutant('has-one-partition', 'find.partitions-never-mix', (right) => ({
    find: (question, options) => right.find({ ...question, partition: 'all' }, options),
  })),
  mutant('folds-partitions', 'find.partitions-never-mix', (right) => ({
    find: (question, options) => right.find({ ...question, partition: question.partition.toLowerCase() }, options),
  })),
  altered('serves-the-nearest', 'find.nothing-before-evidence', (finding) =>
    finding.similarity === undefined ? finding : served(finding),
  ),
  mutant('says-that-it-serves', 'find.nothing-before-evidence', (right) => ({
    standings: () => right.standings().map((standing) => ({ ...standing, isShadow: false, cut: 0.5 })),
  })),
  altered('takes-nought-for-no-wish', 'find.epsilon-nought', (finding, epsilon) => (epsilon === 0 ? served(finding) : finding)),
  mutant('asks-for-nothing', 'find.epsilon-nought', (right) => ({
    async find(question, options) {
      await question.next(question.call).catch(() => {})
      return right.find(question, options)
    },
  })),
  mutant('hands-on-its-failures', 'find.own-failures', (right) => ({
    async find(question, options) {
      await question.answerOf(KEY)
      return right.find(question, options)
    },
  })),
  altered('throws-from-settle', 'find.own-failures', (finding) => ({
    ...finding,
    settle() {
      throw new Error('no')
    },
  })),
  mutant('ignores-abort', 'find.aborted-signal', (right) => ({ find: (question) => right.find(question) })),
  mutant('settles-again', 'settle.once', (right) => ({
    async find(question, options) {
      const finding = await right.find(question, options)
      return { ...finding, settle: (fresh) => fresh && finding.settle(fresh) }
    },
  })),
  mutant('rejects-nothing', 'reject.removes', () => ({ reject: async () => {} })),
  mutant('rejects-all', 'reject.removes', (right) => ({
    async reject(wrong) {
      await right.reject(wrong)
      await right.reject({ ...wrong, key: 'another key' })
    },
  })),
  mutant('counts-look-ups-alone', 'counted.counts', () => ({ counted: () => {} })),
]
