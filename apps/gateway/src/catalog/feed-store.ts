import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A file of a feed as it was fetched. */
export interface StoredFile {
  readonly bytes: Uint8Array
  /** Epoch ms. */
  readonly asOf: number
  readonly etag: string | undefined
}

/** Keeps the last good content of feeds over a restart. */
export interface FeedStore {
  /** Files by key; what cannot be read is as if it were not there. */
  load(feed: string, keys: readonly string[]): Promise<ReadonlyMap<string, StoredFile>>
  /** Each file is replaced whole; `undefined` removes it. */
  save(feed: string, files: ReadonlyMap<string, StoredFile | undefined>): Promise<void>
}

/** In a folder: a line of JSON about the file, then its bytes, so that both change in one step. */
export function folderStore(folder: string): FeedStore {
  const pathOf = (feed: string, key: string): string => join(folder, feed, `${key}.feed`)
  return {
    async load(feed, keys) {
      const found = new Map<string, StoredFile>()
      for (const key of keys) {
        const file = await readFile(pathOf(feed, key))
          .then(parsed)
          .catch(() => undefined)
        if (file !== undefined) found.set(key, file)
      }
      return found
    },
    async save(feed, files) {
      await mkdir(join(folder, feed), { recursive: true })
      for (const [key, file] of files) {
        const path = pathOf(feed, key)
        if (file === undefined) {
          await rm(path, { force: true })
          continue
        }
        const { bytes, asOf, etag } = file
        await writeFile(`${path}.new`, Buffer.concat([Buffer.from(`${JSON.stringify({ asOf, etag })}\n`), bytes]))
        await rename(`${path}.new`, path)
      }
    },
  }
}

/** For an assembly without a folder. */
export const noStore: FeedStore = { load: async () => new Map(), save: async () => {} }

function parsed(content: Buffer): StoredFile | undefined {
  const end = content.indexOf('\n')
  const head = JSON.parse(content.toString('utf8', 0, end)) as { readonly asOf?: unknown; readonly etag?: unknown }
  if (typeof head.asOf !== 'number') return undefined
  return { bytes: content.subarray(end + 1), asOf: head.asOf, etag: typeof head.etag === 'string' ? head.etag : undefined }
}
