/** Where lines go at last: a stream that may hold back what it was given. */
export interface LineSink {
  write(text: string): unknown
  /** Writes what the sink itself holds back. */
  flushSync?(): void
}

/** Gathers lines and hands them on in one piece, since a write costs more than a line. */
export interface BatchedLines {
  write(line: string): void
  /** Hands on what was gathered and has the sink write it. */
  flush(): void
}

/** Once so much was gathered it goes out. In UTF-16 units; lines are ASCII for the most part. */
const FULL = 16_384

/** Lines wait for at most `maxDelayMs`. Its timer keeps no process alive; call `flush` before an exit. */
export function batchedLines(sink: LineSink, maxDelayMs: number): BatchedLines {
  let gathered = ''
  let timer: NodeJS.Timeout | undefined

  function handOn(): void {
    clearTimeout(timer)
    timer = undefined
    const text = gathered
    gathered = ''
    if (text !== '') sink.write(text)
  }

  return {
    write(line) {
      gathered += line
      if (gathered.length >= FULL) handOn()
      else timer ??= setTimeout(handOn, maxDelayMs).unref()
    },
    flush() {
      handOn()
      sink.flushSync?.()
    },
  }
}
