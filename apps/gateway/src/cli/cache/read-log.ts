import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { linesOf, TOO_LONG } from './lines.ts'
import { type LoggedRequest, readLogLine } from './log-line.ts'

/** Lines that hold no request. */
export interface BadLines {
  count: number
  /** The first few, by number from 1, and what is wrong with them. */
  readonly first: { readonly line: number; readonly why: string }[]
}

export interface ReadLog {
  readonly bad: BadLines
  /** To be read once; holds a line at a time. Rejects a TypeError where the file cannot be read, and at its end where no line held a request. */
  requests(): AsyncGenerator<LoggedRequest>
  /** Share of the file that was read, from 0 to 1. */
  readonly share: number
}

const NAMED = 5
const LONGEST_LINE = 33_554_432

/** Opens a log of JSON lines. */
export async function readLog(path: string): Promise<ReadLog> {
  const file = resolve(path)
  let size: number
  try {
    size = (await stat(file)).size
  } catch (error) {
    throw new TypeError(`${path} cannot be read: ${(error as Error).message}.`, { cause: error })
  }
  const bad: BadLines = { count: 0, first: [] }
  const stream = createReadStream(file)
  let good = 0

  function read(text: string | typeof TOO_LONG, line: number): LoggedRequest | undefined {
    try {
      if (text === TOO_LONG) throw new TypeError('it is longer than 32 Mi characters')
      return readLogLine(text)
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
      bad.count += 1
      if (bad.first.length < NAMED) bad.first.push({ line, why: error.message })
      return undefined
    }
  }

  return {
    bad,
    get share() {
      return size === 0 ? 1 : Math.min(1, stream.bytesRead / size)
    },
    async *requests() {
      let line = 0
      try {
        for await (const text of linesOf(stream, LONGEST_LINE)) {
          line += 1
          if (text !== TOO_LONG && text.trim() === '') continue
          const request = read(text, line)
          if (request === undefined) continue
          good += 1
          yield request
        }
      } catch (error) {
        // Of the reading; what is thrown where a request is used comes by another way.
        throw new TypeError(`${path} cannot be read: ${(error as Error).message}.`, { cause: error })
      } finally {
        stream.destroy()
      }
      if (good === 0) throw new TypeError(`${path} holds no request. Give one a line, as a client sends it.${firstOf(bad)}`)
    },
  }
}

function firstOf({ first: [one] }: BadLines): string {
  return one === undefined ? '' : ` Line ${one.line}: ${one.why}.`
}
