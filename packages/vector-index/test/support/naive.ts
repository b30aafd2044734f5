/** The cosine of two vectors in f64, the plainest way. */
export function cosine(one: Float32Array, other: Float32Array): number {
  let [product, first, second] = [0, 0, 0]
  for (let at = 0; at < one.length; at += 1) {
    const [a, b] = [one[at] as number, other[at] as number]
    product += a * b
    first += a * a
    second += b * b
  }
  return product / Math.sqrt(first * second)
}

/** Cosines of all, largest first. */
export function cosines(query: Float32Array, vectors: Iterable<Float32Array>): number[] {
  return Array.from(vectors, (vector) => cosine(query, vector)).sort((a, b) => b - a)
}

/** Numbers in [0, 1) from a seed: the low bits of a linear congruence are left out. */
export function seeded(seed: number): () => number {
  let state = BigInt(seed) * 2n + 1n
  return () => {
    state = (state * 6_364_136_223_846_793_005n + 1_442_695_040_888_963_407n) & 0xffff_ffff_ffff_ffffn
    return Number(state >> 40n) / 2 ** 24
  }
}

/** A vector of normally distributed numbers. */
export function gaussian(dimensions: number, random: () => number): Float32Array {
  return Float32Array.from({ length: dimensions }, () => {
    return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  })
}

/** A vector not far from another. */
export function near(vector: Float32Array, distance: number, random: () => number): Float32Array {
  const noise = gaussian(vector.length, random)
  return vector.map((number, at) => number + distance * (noise[at] as number))
}
