import { createHash } from 'node:crypto'

/** The named statements of one connection: which text has which name. */
export interface PreparedNames {
  /** The name for a text, made if it has none; undefined where naming is off. The least recently used makes room. */
  nameOf(text: string): string | undefined
  /** Drops every name, so that each text is prepared anew under another. */
  forgetAll(): void
  /** Names that the server holds to no use, handed out once. */
  takeObsolete(): readonly string[]
}

/** Keeps `most` names; 0 turns naming off. A name is never used again for another preparation. */
export function preparedNames(most: number): PreparedNames {
  const names = new Map<string, string>()
  let obsolete: string[] = []
  let made = 0

  function drop(text: string): void {
    const name = names.get(text)
    if (name === undefined) return
    names.delete(text)
    obsolete.push(name)
  }

  return {
    nameOf(text) {
      if (most === 0) return undefined
      const known = names.get(text)
      const name = known ?? `sw_${createHash('sha256').update(text).digest('hex').slice(0, 24)}_${++made}`
      if (known !== undefined) names.delete(text)
      names.set(text, name)
      if (names.size > most) {
        for (const oldest of names.keys()) {
          drop(oldest)
          break
        }
      }
      return name
    },
    forgetAll() {
      for (const text of [...names.keys()]) drop(text)
    },
    takeObsolete() {
      if (obsolete.length === 0) return obsolete
      const taken = obsolete
      obsolete = []
      return taken
    },
  }
}
