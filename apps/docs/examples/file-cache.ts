import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rm, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Cache, type CacheEntry, cache, definePlugin, type PluginFactory, SwitchyardError } from '@switchyard/contract'
import { z } from 'zod'

const options: z.ZodType<{ folder: string }, { folder: string }> = z.strictObject({
  folder: z.string().min(1).describe('Where entries are kept'),
})

/** A third party's plugin: port `cache` on files, one an entry. */
export const fileCache: PluginFactory<{ folder: string }> = definePlugin({
  name: '@acme/file-cache',
  contract: 1,
  options,
  provides: { cache },
  async setup({ options: { folder }, clock }) {
    await mkdir(folder, { recursive: true })
    const path = (key: string, signal?: AbortSignal): string => {
      if (signal?.aborted) throw new SwitchyardError('ABORTED', 'the caller left')
      if (key === '') throw new SwitchyardError('INVALID_REQUEST', 'a cache key must not be empty')
      return join(folder, createHash('sha256').update(key).digest('hex'))
    }
    const read = async (file: string): Promise<CacheEntry | undefined> => {
      const text = await readFile(file, 'utf8').catch(() => undefined)
      if (text === undefined) return undefined
      const { value, ...rest } = JSON.parse(text) as Omit<CacheEntry, 'value'> & { value: string }
      if (rest.expiresAt !== undefined && rest.expiresAt <= clock.now()) return undefined
      return { ...rest, value: new Uint8Array(Buffer.from(value, 'base64')) }
    }
    const port: Cache = {
      capabilities: { tags: true, expiryResolutionMs: 0, shared: true },
      get: async (key, { signal } = {}) => read(path(key, signal)),
      async set(key, entry, { signal } = {}) {
        await writeFile(path(key, signal), JSON.stringify({ ...entry, value: Buffer.from(entry.value).toString('base64') }))
      },
      async delete(key, { signal } = {}) {
        const file = path(key, signal)
        const had = (await read(file)) !== undefined
        const removed = await unlink(file).then(
          () => true,
          () => false,
        )
        return had && removed
      },
      async deleteByTag(tag, { signal } = {}) {
        path(tag, signal)
        for (const name of await readdir(folder)) {
          if ((await read(join(folder, name)))?.tags?.includes(tag)) await rm(join(folder, name), { force: true })
        }
      },
    }
    return { ports: { cache: port } }
  },
})
