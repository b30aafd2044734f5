import { type CatalogSource, completer, createCatalog } from '@switchyard/catalog'

/** What the experiment's one model costs, pico-USD a token: what the upstream bills by, and what the gateway's catalog is told. */
export const PICO: { readonly input: bigint; readonly output: bigint } = { input: 2_500_000n, output: 10_000_000n }

/** Its name in the catalog. */
export const MODEL = 'bench/model'

/** What an upstream bills for tokens, worked out without the catalog. */
export function billedPico(input: number, output: number): bigint {
  return BigInt(input) * PICO.input + BigInt(output) * PICO.output
}

/** A catalog of that model alone. */
export function benchCatalog(): CatalogSource {
  const { complete } = completer({ asOf: '2026-01-01' })
  const perToken = { input: Number(PICO.input), output: Number(PICO.output) }
  const entry = complete({
    provider: 'bench',
    model: 'model',
    limits: { context: 128_000, output: 8_192 },
    prices: [{ perToken }],
  })
  const made = createCatalog([entry], { version: 'bench' })
  return { current: () => made }
}
