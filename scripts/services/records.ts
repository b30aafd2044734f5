import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ProcessId, ServiceName } from './contract.ts'
import { endProcess, identify, isAlive, signalProcess } from './processes.ts'

/** What is written down of a server that was started, so that it can be ended by whoever comes next. */
export interface Recorded {
  readonly name: ServiceName
  readonly url: string
  readonly version: string
  readonly server: ProcessId
  /** The run that it belongs to; absent where it was started to stay, by `services up`. */
  readonly owner?: ProcessId
  readonly signal: NodeJS.Signals
  readonly folder: string
}

const GRACE_MS = 10_000
const ROOT = join(tmpdir(), `switchyard-services-${process.getuid?.() ?? 'user'}`)
const RECORD = 'service.json'
const mine = new Map<string, Recorded>()
let hooked = false

/** Makes an empty folder for one server, which other users may enter: a server that refuses root runs as its own user. */
export function serverFolder(name: ServiceName): string {
  mkdirSync(ROOT, { recursive: true })
  chmodSync(ROOT, 0o755)
  const folder = mkdtempSync(join(ROOT, `${name}-`))
  chmodSync(folder, 0o755)
  return folder
}

/** Writes a started server down. One that is not kept ends with this process, however that ends. */
export function record(entry: Omit<Recorded, 'owner'>, options: { readonly kept: boolean }): void {
  const recorded: Recorded = options.kept ? entry : { ...entry, owner: identify(process.pid) }
  writeFileSync(join(entry.folder, RECORD), JSON.stringify(recorded))
  if (options.kept) return
  mine.set(entry.folder, recorded)
  hookExit()
}

/** Ends a server and removes its folder. Nothing where both have gone. */
export async function stopRecorded({ server, signal, folder }: Recorded): Promise<void> {
  mine.delete(folder)
  await endProcess(server, signal, GRACE_MS)
  rmSync(folder, { recursive: true, force: true })
}

/** Everything on record that is alive or was left behind. */
export function recorded(): readonly Recorded[] {
  const entries: Recorded[] = []
  for (const folder of listFolders()) {
    try {
      entries.push(JSON.parse(readFileSync(join(ROOT, folder, RECORD), 'utf8')) as Recorded)
    } catch {}
  }
  return entries
}

/** True for a server whose run was killed before it could end it, and for a kept one that has died. A living run may restart its own. */
export function isLeftover({ owner, server }: Recorded): boolean {
  return !isAlive(owner ?? server)
}

/** Ends what killed runs have left. Returns how many there were. */
export async function endLeftovers(): Promise<number> {
  const leftovers = recorded().filter(isLeftover)
  await Promise.all(leftovers.map(stopRecorded))
  return leftovers.length
}

function listFolders(): readonly string[] {
  try {
    return readdirSync(ROOT)
  } catch {
    return []
  }
}

function hookExit(): void {
  if (hooked) return
  hooked = true
  // An exit cannot wait: the kind signal goes out, and the folder goes with the next run's leftovers if the server still writes.
  process.on('exit', () => {
    for (const { server, signal } of mine.values()) signalProcess(server, signal)
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      Promise.all([...mine.values()].map(stopRecorded)).finally(() => process.kill(process.pid, signal))
    })
  }
}
