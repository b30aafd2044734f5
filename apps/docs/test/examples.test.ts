import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cache } from '@switchyard/contract'
import { startKernel } from '@switchyard/kernel'
import { cacheSuite, conformance, pluginSubject } from '@switchyard/testkit'
import { afterAll, describe, expect, test } from 'vitest'
import { fileCache } from '../examples/file-cache.ts'

const root = mkdtempSync(join(tmpdir(), 'switchyard-example-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
let count = 0
const fresh = (): { folder: string } => ({ folder: join(root, String(count++)) })

describe('the file cache passes the cache suite', () => {
  conformance(cacheSuite, pluginSubject({ name: 'file-cache', port: cache, plugin: () => fileCache(fresh()) }), test)
})

test('and runs in a kernel', async () => {
  await using kernel = await startKernel({ plugins: [fileCache(fresh())] })
  await kernel.get(cache).set('key', { value: Uint8Array.of(1, 2) })
  expect((await kernel.get(cache).get('key'))?.value).toEqual(Uint8Array.of(1, 2))
})
