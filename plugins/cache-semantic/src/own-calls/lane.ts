/** Work in the background, so many pieces at a time. */
export interface Lane {
  /** Takes a piece of work, now or once there is room; false where too many wait, or after the end. What it rejects with is nobody's. */
  push(work: () => Promise<void>): boolean
  /** What waits, as a share of what may, in [0, 1]. */
  filled(): number
  /** Forgets what waits, and resolves once nothing is under way. */
  close(): Promise<void>
}

/** `width` pieces at once, `waiting` in line. */
export function lane(width: number, waiting: number): Lane {
  const line: (() => Promise<void>)[] = []
  const underWay = new Set<Promise<void>>()
  let closed = false
  const start = (work: () => Promise<void>): void => {
    const running: Promise<void> = work()
      .catch(() => {})
      .finally(() => {
        underWay.delete(running)
        const next = closed ? undefined : line.shift()
        if (next !== undefined) start(next)
      })
    underWay.add(running)
  }
  return {
    push(work) {
      if (closed) return false
      if (underWay.size < width) start(work)
      else if (line.length < waiting) line.push(work)
      else return false
      return true
    },
    filled: () => line.length / waiting,
    async close() {
      closed = true
      line.length = 0
      while (underWay.size > 0) await Promise.allSettled([...underWay])
    },
  }
}
