import { readFile, stat } from 'node:fs/promises'
import { type Clock, type Logger, SwitchyardError } from '@switchyard/contract'
import { type Decider, decider, parseArtefact, posteriorOf, type RouterArtefact } from '../learned/index.ts'

/** An artefact at work. */
export interface LoadedArtefact {
  readonly artefact: RouterArtefact
  readonly decide: Decider
  /** Mean quality of each single model, by the artefact's name for it: whose answer stands for an agreed one. */
  readonly quality: ReadonlyMap<string, number>
  /** For the trace: when it was made, and from what. */
  readonly version: string
}

export interface ArtefactFileParts {
  readonly path: string
  readonly reloadMs: number
  readonly clock: Pick<Clock, 'schedule'>
  readonly log: Logger
  /** Called after another version came. */
  readonly onReload: (loaded: LoadedArtefact) => void
}

/** An artefact on disk that is read again when it changes. */
export interface ArtefactFile {
  current(): LoadedArtefact
  close(): void
}

/** Reads a text of JSON as an artefact. Throws a TypeError or SyntaxError that says what is wrong. */
export function loadArtefact(text: string): LoadedArtefact {
  const artefact = parseArtefact(JSON.parse(text))
  const { meanQuality } = posteriorOf(artefact)
  const quality = new Map<string, number>()
  artefact.arms.forEach(({ check, models }, at) => {
    if (check === undefined) quality.set(models[0] as string, meanQuality[at] as number)
  })
  const version = `${artefact.createdAt} ${artefact.dataHash.slice(0, 12)}`
  return { artefact, decide: decider(artefact), quality, version }
}

/**
 * Reads the file, and looks every `reloadMs` whether it has changed: a changed file that cannot be read leaves the old one at work and
 * warns, once a change. Rejects `CONFIG_INVALID` where there is no right one at the start. The caller closes it.
 */
export async function openArtefact({ path, reloadMs, clock, log, onReload }: ArtefactFileParts): Promise<ArtefactFile> {
  let seen: string
  let loaded: LoadedArtefact
  try {
    seen = await markOf(path)
    loaded = loadArtefact(await readFile(path, 'utf8'))
  } catch (cause) {
    throw new SwitchyardError('CONFIG_INVALID', `routing: the artefact ${path} cannot be used: ${(cause as Error).message}`, {
      cause,
    })
  }
  let closed = false
  let cancel = clock.schedule(reloadMs, tick)

  function tick(): void {
    void look().finally(() => {
      if (!closed) cancel = clock.schedule(reloadMs, tick)
    })
  }

  async function look(): Promise<void> {
    try {
      const mark = await markOf(path)
      if (mark === seen) return
      seen = mark
      const next = loadArtefact(await readFile(path, 'utf8'))
      if (closed || next.version === loaded.version) return
      loaded = next
      log.info({ artefact: path, version: next.version }, 'another artefact routes now')
      onReload(next)
    } catch (error) {
      const gone = `gone: ${(error as Error).message}`
      if (seen === gone) return
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') seen = gone
      log.warn({ artefact: path, error }, 'the artefact changed and cannot be used: the one before it stays')
    }
  }

  return {
    current: () => loaded,
    close() {
      closed = true
      cancel()
    },
  }
}

async function markOf(path: string): Promise<string> {
  const { mtimeMs, size } = await stat(path)
  return `${mtimeMs} ${size}`
}
