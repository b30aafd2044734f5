import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { assembled } from '../scripts/assemble.ts'

test('the bytes that ship are what the text assembles to; else run `node scripts/assemble.ts`', async () => {
  const shipped = await readFile(join(import.meta.dirname, '../src/kernel-bytes.ts'), 'utf8')
  expect(shipped).toBe(await assembled())
})
