/** Says what is being done, on stderr: one line that is rewritten on a terminal, a line each elsewhere. */
export interface Progress {
  step(text: string): void
  /** Clears the line. */
  done(): void
}

/** Progress on a stream. */
export function progressOn(stream: NodeJS.WriteStream): Progress {
  if (!stream.isTTY) return { step: (text) => void stream.write(`${text}\n`), done: () => undefined }
  return {
    step: (text) => void stream.write(`\r\x1b[K${text}`),
    done: () => void stream.write('\r\x1b[K'),
  }
}
