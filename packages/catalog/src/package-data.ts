import { readFileSync } from 'node:fs'

/** Text of a file of this package's `data/`, the one place that its code reads from. */
export function packageData(name: 'seed.json'): string {
  return readFileSync(new URL(`../data/${name}`, import.meta.url), 'utf8')
}
