import { type FSWatcher, statSync, watch } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'

const SETTLE_MS = 150

/**
 * Calls `changed` when the file was written or replaced, once a burst. Watches its folder, since editors save by renaming, and looks
 * at the file whatever moved there, since a mounted ConfigMap changes a link beside it. Returns its stop.
 * Throws where the system watches no more; a folder that can be watched no longer is told to `lost`.
 */
export function watchFile(path: string, changed: () => void, lost: (error: Error) => void): () => void {
  const full = resolve(path)
  let seen = stateOf(full)
  let timer: NodeJS.Timeout | undefined
  const look = (): void => {
    timer = undefined
    const now = stateOf(full)
    // Between removal and return there is nothing to read.
    if (now === undefined || now === seen) return
    seen = now
    changed()
  }
  const watcher: FSWatcher = watch(dirname(full), { persistent: false }, (_event, name) => {
    // Other files may change without end, and must not put the look off for ever.
    if (name !== basename(full) && timer !== undefined) return
    clearTimeout(timer)
    timer = setTimeout(look, SETTLE_MS)
  })
  watcher.on('error', lost)
  return () => {
    clearTimeout(timer)
    watcher.close()
  }
}

/** Changes with every write and replacement, also of what a link points to. */
function stateOf(path: string): string | undefined {
  try {
    const { dev, ino, size, mtimeNs } = statSync(path, { bigint: true })
    return `${dev}:${ino}:${size}:${mtimeNs}`
  } catch {
    return undefined
  }
}
