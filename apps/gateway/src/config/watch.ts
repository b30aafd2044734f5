import { type FSWatcher, watch } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'

const SETTLE_MS = 150

/**
 * Calls `changed` when the file was written or replaced, once a burst. Watches its folder, since editors save by renaming.
 * Returns its stop.
 */
export function watchFile(path: string, changed: () => void): () => void {
  const full = resolve(path)
  let timer: NodeJS.Timeout | undefined
  const watcher: FSWatcher = watch(dirname(full), { persistent: false }, (_event, name) => {
    if (name !== null && name !== basename(full)) return
    clearTimeout(timer)
    timer = setTimeout(changed, SETTLE_MS)
  })
  return () => {
    clearTimeout(timer)
    watcher.close()
  }
}
