import { randomUUID } from 'node:crypto'
import { type BudgetInput, budget } from '@switchyard/budget'
import { cacheMemory } from '@switchyard/cache-memory'
import { catalog, completer, createCatalog } from '@switchyard/catalog'
import { definePlugin, type ModelReply, type Plugin } from '@switchyard/contract'
import { z } from 'zod'
import { stubProvider, wholeReply } from './stub-provider.ts'

const { complete } = completer({ asOf: '2026-09-23' })
const entries = [
  complete({
    provider: 'own',
    model: 'x',
    limits: { output: 1_000 },
    prices: [{ perToken: { input: 2_000_000, output: 10_000_000, cacheRead: 200_000 } }],
  }),
]

/** `own/x`: 2 USD in, 0.2 from the prompt cache and 10 USD out a million tokens; 1,000 tokens out at most. */
export function prices(): Plugin {
  const known = createCatalog(entries, { version: 'test-1' })
  const factory = definePlugin({
    name: 'prices',
    contract: 1,
    options: z.strictObject({}),
    provides: { catalog },
    setup: () => ({ ports: { catalog: { current: () => known } } }),
  })
  return factory()
}

/** A reply of `own/x` that used 500 tokens in, 100 of them cached, and 400 out: 0.00482 USD. */
export function paidReply(): ModelReply {
  return {
    ...wholeReply({ object: 'chat.completion', choices: [] }),
    ended: Promise.resolve({
      outcome: 'complete',
      usage: { inputTokens: 500, outputTokens: 400, cacheReadTokens: 100 },
      usageSource: 'reported',
    }),
  }
}

/** Everything but the database: a provider whose replies cost 0.00482 USD each, its price, and a budget plugin. */
export function booksOn(database: Plugin, input: BudgetInput = {}): readonly Plugin[] {
  return [budget(input), cacheMemory(), prices(), database, stubProvider({ name: 'own', invoke: async () => paidReply() })]
}

/** A name that no other test has. */
export function uniqueName(prefix: string): string {
  return `${prefix}_${randomUUID().slice(0, 8)}`
}
