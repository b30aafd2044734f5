/** A model of the feed, with its long-context half where the feed keeps that under a name of its own. */
export interface ContextPair {
  readonly model: string
  readonly base: unknown
  readonly over?: unknown
  readonly contextOver: number
}

const HALF = /^(.+)-(lte|gt)-(\d+)k$/

/** Generations of Gemini that change their price at 200k, though the feed calls the halves 128k. */
const AT_200K = /^gemini-(2\.5|[3-9])/

/**
 * Joins `x-lte-128k` and `x-gt-128k` under `x`. The threshold is the given source's, else what is known of the family, else the number in
 * the name. Where the feed splits one model twice, the larger number is the later correction.
 */
export function contextPairs(
  models: readonly (readonly [id: string, value: unknown])[],
  threshold: (model: string) => number | undefined,
): readonly ContextPair[] {
  const plain: ContextPair[] = []
  const halves = new Map<string, Map<number, { lte?: unknown; gt?: unknown }>>()
  for (const [id, value] of models) {
    const [, model, side, size] = HALF.exec(id) ?? []
    if (model === undefined) {
      plain.push({ model: id, base: value, contextOver: 0 })
      continue
    }
    const sizes = halves.get(model) ?? new Map<number, { lte?: unknown; gt?: unknown }>()
    halves.set(model, sizes)
    const at = Number(size) * 1000
    sizes.set(at, { ...sizes.get(at), [side as 'lte' | 'gt']: value })
  }
  const known = new Set(plain.map(({ model }) => model))
  for (const [model, sizes] of halves) {
    const size = Math.max(...sizes.keys())
    const { lte, gt } = sizes.get(size) as { lte?: unknown; gt?: unknown }
    if (known.has(model)) continue
    const contextOver = threshold(model) ?? (AT_200K.test(model) ? 200_000 : size)
    plain.push({ model, base: lte ?? gt, ...(lte === undefined || gt === undefined ? {} : { over: gt }), contextOver })
  }
  return plain
}
