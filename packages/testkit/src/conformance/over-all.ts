/** Does the work for each item, so many at once, and gives what came of them in their order. Rejects with the first failure. */
export async function overAll<T, R>(
  items: readonly T[],
  concurrency: number | undefined,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length)
  let next = 0
  const worker = async (): Promise<void> => {
    for (let at = next++; at < items.length; at = next++) results[at] = await work(items[at] as T)
  }
  await Promise.all(Array.from({ length: Math.max(1, concurrency ?? 1) }, worker))
  return results
}
