import { readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { isAlive } from './lease-file.ts'
import { type Replayed, replay } from './record.ts'

/** A journal that somebody left behind, claimed by us. */
export interface Adopted extends Replayed {
  readonly name: string
  /** Removes its files; call it when all of it is in the ledger. */
  remove(): void
}

const SEGMENT = /^([\w-]+)\.(\d+)\.journal(?:\.([\w-]+))?$/

/** Name of the file by which a journal says that it lives. */
export function leasePath(directory: string, name: string): string {
  return join(directory, `${name}.lease`)
}

/** Name of one file of a journal. */
export function segmentPath(directory: string, name: string, number: number): string {
  return join(directory, `${name}.${number}.journal`)
}

/**
 * Claims the journals in a folder whose writers are gone, by renaming their files: of several nodes that start at once, each file goes
 * to one. What a dead claimer left is claimed again.
 */
export function adopt(directory: string, claimer: string, now: number): readonly Adopted[] {
  const files = new Map<string, { readonly file: string; readonly number: number }[]>()
  for (const file of readdirSync(directory)) {
    const match = SEGMENT.exec(file)
    if (match === null) continue
    const [, name, number, owner] = match as unknown as readonly [string, string, string, string | undefined]
    const holder = owner ?? name
    if (holder === claimer || isAlive(leasePath(directory, holder), now)) continue
    const of = files.get(name) ?? []
    files.set(name, of)
    of.push({ file, number: Number(number) })
  }
  return [...files].flatMap(([name, found]) => claim(directory, name, found, claimer) ?? [])
}

function claim(
  directory: string,
  name: string,
  found: readonly { readonly file: string; readonly number: number }[],
  claimer: string,
): Adopted | undefined {
  const claimed: string[] = []
  for (const { file, number } of [...found].sort((a, b) => a.number - b.number)) {
    const to = `${segmentPath(directory, name, number)}.${claimer}`
    try {
      renameSync(join(directory, file), to)
      claimed.push(to)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  if (claimed.length === 0) return undefined
  return {
    name,
    ...replay(texts(claimed)),
    remove() {
      for (const path of claimed) rmSync(path, { force: true })
      rmSync(leasePath(directory, name), { force: true })
    },
  }
}

function* texts(paths: readonly string[]): Generator<string> {
  for (const path of paths) yield readFileSync(path, 'utf8')
}
