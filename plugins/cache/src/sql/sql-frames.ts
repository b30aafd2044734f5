import { type SqlResult, SwitchyardError } from '@switchyard/contract'
import { noneOfOurs } from './read-values.ts'
import { resultBytes, resultFrom } from './result-bytes.ts'
import { Untold } from './write-values.ts'

/** Results as they travel between those who asked the same. */
export interface SqlFrames {
  framesOf(result: SqlResult): AsyncIterable<Uint8Array>
  assembled(frames: AsyncIterable<Uint8Array>): Promise<SqlResult>
}

const FRAME_BYTES = 65_536
/** A result beyond it goes by reference. */
const MOST_BYTES = 134_217_728
/** Stands for a result that has no exact form in bytes, in place of the version. */
const BY_REFERENCE = Uint8Array.of(0x51, 0)

/**
 * A result goes as its bytes, cut into frames. One that has no form in bytes, such as an object of a driver's own class, goes by reference
 * within this process; another node cannot be given it and is refused with `UPSTREAM_UNAVAILABLE`.
 */
export function sqlFrames(): SqlFrames {
  const results = new WeakMap<Uint8Array, SqlResult>()
  return {
    async *framesOf(result) {
      let bytes: Uint8Array
      try {
        bytes = resultBytes(result, MOST_BYTES)
      } catch (error) {
        if (!(error instanceof Untold)) throw error
        const frame = Uint8Array.from(BY_REFERENCE)
        results.set(frame, result)
        yield frame
        return
      }
      for (let at = 0; at < bytes.byteLength; at += FRAME_BYTES) yield bytes.subarray(at, at + FRAME_BYTES)
    },
    async assembled(frames) {
      const all: Uint8Array[] = []
      for await (const frame of frames) {
        const result = results.get(frame)
        if (result !== undefined) return copied(result)
        all.push(frame)
      }
      if (isByReference(all)) {
        throw new SwitchyardError(
          'UPSTREAM_UNAVAILABLE',
          'cache: the result that another node shares has no form in bytes; ask again, or turn the cache off for the statement',
          { retryable: true },
        )
      }
      return resultFrom(joined(all))
    },
  }
}

/** Whether frames stand for a result without a form in bytes. */
export function isByReference(frames: readonly Uint8Array[]): boolean {
  const [first] = frames
  return first?.byteLength === BY_REFERENCE.length && first.every((byte, at) => byte === BY_REFERENCE[at])
}

/** Frames as one. Throws `UPSTREAM_INVALID` where there is none. */
export function joined(frames: readonly Uint8Array[]): Uint8Array {
  const [first] = frames
  if (first === undefined) throw noneOfOurs()
  return frames.length === 1 ? first : Buffer.concat(frames)
}

/** Rows that a caller may write to without another's seeing it, as far as that goes for objects of unknown classes. */
function copied(result: SqlResult): SqlResult {
  return { ...result, rows: result.rows.map((row) => Object.assign(Object.create(Object.getPrototypeOf(row)), row)) }
}
