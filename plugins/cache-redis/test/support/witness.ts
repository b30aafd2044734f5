/** Remembers what was stored and deleted, and says whether a value may still be given. */
export interface Witness {
  /** Names a value that is about to be stored under a key, with a tag; to be told when it is there. */
  storing(key: string, tag: string): { readonly text: string; stored(): void }
  /** A deletion that begins; to be told when it has resolved. */
  deleting(name: { readonly tag: string } | { readonly key: string }): { done(): void }
  /** Before a read; then with what it gave. */
  reading(): (text: string | undefined) => void
  /** Values that were given though their tag or key was deleted. */
  readonly stale: readonly string[]
  /** Reads that gave something. */
  readonly given: number
}

/** Makes a witness. A value is void for reads that begin after a deletion resolved which was called when the value was there. */
export function witness(): Witness {
  let time = 0
  let given = 0
  const values = new Map<string, { readonly key: string; readonly tag: string; thereAt: number }>()
  const deletions: {
    readonly name: { readonly tag?: string; readonly key?: string }
    readonly calledAt: number
    doneAt: number
  }[] = []
  const stale: string[] = []
  const tick = (): number => {
    time += 1
    return time
  }
  return {
    storing(key, tag) {
      const text = `v${values.size}`
      const value = { key, tag, thereAt: Number.POSITIVE_INFINITY }
      values.set(text, value)
      return {
        text,
        stored() {
          value.thereAt = tick()
        },
      }
    },
    deleting(name) {
      const deletion = { name, calledAt: tick(), doneAt: Number.POSITIVE_INFINITY }
      deletions.push(deletion)
      return {
        done() {
          deletion.doneAt = tick()
        },
      }
    },
    reading() {
      const beganAt = tick()
      return (text) => {
        const value = values.get(text ?? '')
        if (text === undefined || value === undefined) return
        given += 1
        const wrong = deletions.find(
          ({ name, calledAt, doneAt }) =>
            doneAt < beganAt && value.thereAt < calledAt && (name.tag === value.tag || name.key === value.key),
        )
        if (wrong !== undefined) stale.push(`${text} after the deletion of ${JSON.stringify(wrong.name)}`)
      }
    },
    stale,
    get given() {
      return given
    },
  }
}
