import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import wabt from 'wabt'

const ROOT = join(import.meta.dirname, '..')
const TEXT = join(ROOT, 'wasm', 'kernel.wat')
const MODULE = join(ROOT, 'src', 'kernel-bytes.ts')

/** The bytes that `wasm/kernel.wat` assembles to, as the text of `src/kernel-bytes.ts`. */
export async function assembled(): Promise<string> {
  const { parseWat } = await wabt()
  const parsed = parseWat('kernel.wat', await readFile(TEXT, 'utf8'), { simd: true })
  const { buffer } = parsed.toBinary({})
  parsed.destroy()
  const lines = Buffer.from(buffer)
    .toString('base64')
    .match(/.{1,118}/g)
  return `// Assembled from wasm/kernel.wat by scripts/assemble.ts, and not to be edited by hand.

/** The WebAssembly of the inner loops, in base64. */
export const KERNEL_BYTES: string = [
${(lines ?? []).map((line) => `  '${line}',`).join('\n')}
].join('')
`
}

if (import.meta.main) await writeFile(MODULE, await assembled())
