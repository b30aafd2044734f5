import { cache, definePlugin, type Plugin } from '@switchyard/contract'
import { plainCache } from '@switchyard/testkit'
import { z } from 'zod'

const plainStore = definePlugin({
  name: '@switchyard/plain-store',
  contract: 1,
  options: z.strictObject({}),
  provides: { cache },
  setup: ({ clock }) => ({ ports: { cache: plainCache({ now: () => clock.now() }) } }),
})

/** A store for kernels of tests. */
export function storePlugin(): Plugin {
  return plainStore() as Plugin
}
