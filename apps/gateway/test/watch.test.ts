import { type FSWatcher, watch } from 'node:fs'
import { rename, symlink, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { watchFile } from '../src/config/watch.ts'
import { type TemporaryFolder, temporaryFolder } from './support/folder.ts'

const SETTLED_MS = 150

const lost = vi.fn()
let folder: TemporaryFolder
let path: string
let changes: number
let unwatch: () => void
/** Sees what the watcher under test sees, after it. */
let other: FSWatcher
let names: Set<string | null>

/** The real file system tells in its own time; the wait until all is still is the test's. */
beforeEach(async () => {
  folder = await temporaryFolder()
  path = await folder.write('switchyard.config.json', '{}')
  changes = 0
  names = new Set()
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})
afterEach(async () => {
  unwatch?.()
  other?.close()
  vi.useRealTimers()
  await folder.remove()
})

function start(): void {
  unwatch = watchFile(
    path,
    () => {
      changes++
    },
    lost,
  )
  other = watch(folder.path, (_event, name) => names.add(name))
}

async function seen(name: string): Promise<void> {
  await expect.poll(() => names.has(name)).toBe(true)
  names.clear()
}

/** How often it was told once all is still. */
async function told(name: string): Promise<number> {
  await seen(name)
  vi.advanceTimersByTime(SETTLED_MS)
  return changes
}

const CONFIG = 'switchyard.config.json'

test('a write is told, and a burst of them once', async () => {
  start()
  for (const text of ['1', '12', '123']) await writeFile(path, text)
  expect(await told(CONFIG)).toBe(1)
  await writeFile(path, '1234')
  expect(await told(CONFIG)).toBe(2)
})

test('a write within the wait begins it anew, so that no half-written file is read', async () => {
  start()
  await writeFile(path, '1')
  await seen(CONFIG)
  vi.advanceTimersByTime(SETTLED_MS - 50)
  await writeFile(path, '12')
  await seen(CONFIG)
  vi.advanceTimersByTime(100)
  expect(changes).toBe(0)
  vi.advanceTimersByTime(50)
  expect(changes).toBe(1)
})

test('a folder that is never still does not put it off', async () => {
  start()
  await writeFile(path, 'changed')
  await seen(CONFIG)
  vi.advanceTimersByTime(SETTLED_MS - 50)
  await folder.write('busy.log', '1')
  await seen('busy.log')
  vi.advanceTimersByTime(50)
  expect(changes).toBe(1)
})

test('a replacement by renaming is told, as editors save', async () => {
  start()
  await folder.write('.swap', '{"new": true}')
  await rename(join(folder.path, '.swap'), path)
  expect(await told(CONFIG)).toBe(1)
})

test('a link that is set anew beside the file is told, as a ConfigMap is mounted', async () => {
  await unlink(path)
  await folder.write('v1/c.json', '1')
  await folder.write('v2/c.json', '2')
  await symlink('v1', join(folder.path, '..data'))
  await symlink('..data/c.json', path)
  start()
  await symlink('v2', join(folder.path, '..next'))
  await rename(join(folder.path, '..next'), join(folder.path, '..data'))
  expect(await told('..data')).toBe(1)
})

test('neither another file nor a removal is told; the return is', async () => {
  start()
  await folder.write('other.json', '1')
  expect(await told('other.json')).toBe(0)
  await unlink(path)
  expect(await told(CONFIG)).toBe(0)
  await writeFile(path, 'back')
  expect(await told(CONFIG)).toBe(1)
})

test('after its stop nothing is told', async () => {
  start()
  await writeFile(path, 'changed')
  await seen(CONFIG)
  unwatch()
  vi.advanceTimersByTime(SETTLED_MS)
  expect(changes).toBe(0)
})

test('a folder that is not there cannot be watched', () => {
  expect(() => watchFile('/nowhere/c.json', () => {}, lost)).toThrow(/ENOENT/)
})
