/** When each tag was last deleted, as marks tell it. */
export interface TagMoments {
  /** Tags whose deletion is remembered one by one. */
  readonly size: number
  /** A new moment for the tag. */
  deleted(tag: string): void
  /** The moment of the tags: equal as long as none of them is deleted. */
  mark(tags: readonly string[]): string
  /** Whether one of the tags was deleted since the mark was taken; true also of what is no mark of this process. */
  deletedSince(mark: string, tags: readonly string[]): boolean
}

/** Tags remembered unless told otherwise: some 10 MB where each is deleted once and has 50 characters. */
export const MAX_TAG_MOMENTS = 100_000

/**
 * Makes moments at which nothing was deleted yet. Beyond `max` remembered tags, the half that was deleted longest ago is forgotten, all
 * at once so that it is seldom: marks of tags that are not remembered change then, and fills that began before are not stored. That
 * errs on the safe side. `genesis` sets marks of one process apart from those of another; at most 40 printable ASCII characters.
 */
export function tagMoments(genesis: string, max: number = MAX_TAG_MOMENTS): TagMoments {
  // In order of deletion, so that the first are those deleted longest ago.
  const last = new Map<string, number>()
  let moment = 0
  let floor = 0

  function forget(): void {
    for (const [tag, at] of last) {
      if (last.size <= max / 2) return
      last.delete(tag)
      floor = at
    }
  }

  function momentOf(tags: readonly string[]): number {
    let latest = 0
    for (const tag of tags) latest = Math.max(latest, last.get(tag) ?? floor)
    return latest
  }

  return {
    get size() {
      return last.size
    },
    deleted(tag) {
      moment += 1
      last.delete(tag)
      last.set(tag, moment)
      if (last.size > max) forget()
    },
    mark: (tags) => `${genesis}.${momentOf(tags)}`,
    deletedSince(mark, tags) {
      const at = mark.lastIndexOf('.')
      // Not "at most": what is no number compares as false, and so counts as deleted.
      return mark.slice(0, at) !== genesis || !(momentOf(tags) <= Number.parseInt(mark.slice(at + 1), 10))
    },
  }
}
