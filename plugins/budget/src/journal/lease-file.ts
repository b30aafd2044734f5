import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'

/** Who writes a journal, and when he last said so. */
interface Beat {
  readonly pid: number
  readonly host: string
  /** Epoch ms. */
  readonly at: number
}

/** How often a living journal says so. */
export const BEAT_MS = 5_000
/** A process that runs but has been silent so long is another one under the same number; on another machine, it is gone. */
const SILENT_MS = 60_000
/** Journals that are open in this process: a second assembly may start beside the first. */
const OPEN_HERE = new Set<string>()

/** Says that a journal is alive. */
export function beat(path: string, now: number): void {
  OPEN_HERE.add(path)
  const text = JSON.stringify({ pid: process.pid, host: hostname(), at: now } satisfies Beat)
  writeFileSync(`${path}.new`, text)
  renameSync(`${path}.new`, path)
}

/** A journal of this process that was closed no longer lives. */
export function rest(path: string): void {
  OPEN_HERE.delete(path)
}

/** Whether the process that wrote a journal may still write to it. */
export function isAlive(path: string, now: number): boolean {
  if (OPEN_HERE.has(path)) return true
  const found = read(path)
  if (found === undefined) return false
  if (found.host === hostname() && (found.pid === process.pid || !runs(found.pid))) return false
  return now - found.at < SILENT_MS
}

function read(path: string): Beat | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Beat
  } catch {
    return undefined
  }
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
