import { chunkMemory } from './chunk-memory.ts'
import { type Kernel, kernel } from './kernel.ts'
import { arithmeticError, type Rounding, roundTo8, roundTo16, writeUnit } from './quantise.ts'

/** Rows of a chunk: few, so that a small partition takes little, and enough to be read in one go. */
export const CHUNK_ROWS = 16
/** How rounded rows lie, as the kernel tells: this many together, this many numbers of each in turn. */
const GROUP = 4
const PART = 8
/** Rows that one scan looks at, at most: some of them are written to a list of this length. */
export const MAX_SCAN_ROWS = 4_096

/** What a scan found: rows, counted through its chunks, and what their cosines are at most. */
export interface Candidates {
  readonly count: number
  /** What is to be added to `most`, the same for all. */
  readonly spare: number
  row(at: number): number
  most(at: number): number
  /** Makes `most` -infinity. */
  strike(at: number): void
}

/** Rows of one length in WebAssembly memory, in chunks that partitions take and give back. */
export interface RowStore {
  readonly dimensions: number
  /** Of one chunk. */
  readonly chunkBytes: number
  /** Takes a chunk whose rows are all free; gives its number. Throws a RangeError where memory runs out: the machine's, or 4 GiB. */
  take(): number
  give(chunk: number): void
  /** Puts a vector at unit length into a row. */
  write(chunk: number, row: number, vector: Float32Array): void
  free(chunk: number, row: number): void
  move(fromChunk: number, fromRow: number, toChunk: number, toRow: number): void
  /** Makes this the vector that is asked for, until the next one is. */
  ask(query: PreparedQuery): void
  /** Rows of these chunks whose cosine with what is asked for may be above `least`: none that is above it is left out. */
  scan(chunks: Uint32Array, least: number): Candidates
  /** The cosine of a row and what is asked for, in f32. */
  cosine(chunk: number, row: number): number
  /** Chunks taken, and bytes of memory held for them and for those given back. */
  usage(): { readonly chunks: number; readonly bytes: number }
}

/** A query, ready to be asked again and again. */
export interface PreparedQuery {
  readonly unit: Float32Array
  readonly integers: Int16Array
  readonly rounding: Rounding
}

/**
 * Makes a store without rows. Vectors are padded with zeros to a multiple of 16. The rounded rows and the f32 rows are in memories of
 * their own: a scan that must step over the latter takes four times as long at 100,000 rows, since it reads ahead what it does not need.
 */
export function rowStore(dimensions: number): RowStore {
  const width = widthOf(dimensions)
  const slack = arithmeticError(width)

  // Each memory has what the kernel is told of a search first, and chunks after it.
  const foundAt = width * 2
  const tableAt = foundAt + MAX_SCAN_ROWS * 8
  const rounded = chunkMemory(tableAt + (MAX_SCAN_ROWS / CHUNK_ROWS) * 4, CHUNK_ROWS * (width + 8))
  const exact = chunkMemory(width * 4, CHUNK_ROWS * width * 4)
  const stepsAt = CHUNK_ROWS * width
  const errorsAt = stepsAt + CHUNK_ROWS * 4

  const { scan }: Kernel = kernel(rounded.memory)
  const { dot }: Kernel = kernel(exact.memory)
  const line = new Int8Array(width)
  const given: number[] = []
  let chunks = 0
  let asked: Rounding = { step: 0, error: 0 }

  const stepAt = (chunk: number, row: number): number => (rounded.addressOf(chunk) + stepsAt) / 4 + row
  const errorAt = (chunk: number, row: number): number => (rounded.addressOf(chunk) + errorsAt) / 4 + row

  /** Where the first eight numbers of a rounded row are; each next eight follow after those of its three neighbours. */
  const roundedAt = (chunk: number, row: number): number =>
    rounded.addressOf(chunk) + (row - (row % GROUP)) * width + (row % GROUP) * PART

  function exactRow(chunk: number, row: number): Float32Array {
    const from = exact.addressOf(chunk) / 4 + row * width
    return exact.floats().subarray(from, from + width)
  }

  function free(chunk: number, row: number): void {
    rounded.floats()[errorAt(chunk, row)] = Number.NEGATIVE_INFINITY
  }

  return {
    dimensions,
    chunkBytes: chunkBytesOf(dimensions),
    free,

    take() {
      const chunk = given.pop() ?? chunks
      if (chunk === chunks) {
        rounded.hold(chunks + 1)
        exact.hold(chunks + 1)
        chunks += 1
      }
      for (let row = 0; row < CHUNK_ROWS; row += 1) free(chunk, row)
      return chunk
    },

    give: (chunk) => void given.push(chunk),

    write(chunk, row, vector) {
      const unit = exactRow(chunk, row)
      writeUnit(vector, unit)
      const { step, error } = roundTo8(unit, line)
      const bytes = rounded.bytes()
      let to = roundedAt(chunk, row)
      for (let at = 0; at < width; at += PART, to += GROUP * PART)
        for (let one = 0; one < PART; one += 1) bytes[to + one] = line[at + one] as number
      const floats = rounded.floats()
      floats[stepAt(chunk, row)] = step
      floats[errorAt(chunk, row)] = error + slack
    },

    move(fromChunk, fromRow, toChunk, toRow) {
      const bytes = rounded.bytes()
      const [from, to] = [roundedAt(fromChunk, fromRow), roundedAt(toChunk, toRow)]
      for (let at = 0; at < width * GROUP; at += GROUP * PART) bytes.copyWithin(to + at, from + at, from + at + PART)
      exactRow(toChunk, toRow).set(exactRow(fromChunk, fromRow))
      const floats = rounded.floats()
      floats[stepAt(toChunk, toRow)] = floats[stepAt(fromChunk, fromRow)] as number
      floats[errorAt(toChunk, toRow)] = floats[errorAt(fromChunk, fromRow)] as number
      free(fromChunk, fromRow)
    },

    ask({ integers, unit, rounding }) {
      rounded.shorts().set(integers)
      exact.floats().set(unit)
      asked = rounding
    },

    scan(wanted, least) {
      const numbers = rounded.integers()
      const table = tableAt / 4
      for (let at = 0; at < wanted.length; at += 1) numbers[table + at] = rounded.addressOf(wanted[at] as number)
      // A rounded row is at most half as long again as 1, so what the query's rounding adds is less than twice its own error.
      const spare = 2 * asked.error + slack
      const count = scan(0, asked.step, width, CHUNK_ROWS, tableAt, wanted.length, least - spare, foundAt)
      const [rows, mosts] = [numbers, rounded.floats()]
      const first = foundAt / 4
      return {
        count,
        spare,
        row: (at) => rows[first + at * 2] as number,
        most: (at) => mosts[first + at * 2 + 1] as number,
        strike(at) {
          mosts[first + at * 2 + 1] = Number.NEGATIVE_INFINITY
        },
      }
    },

    cosine: (chunk, row) => dot(exact.addressOf(chunk) + row * width * 4, 0, width),

    usage: () => ({
      chunks: chunks - given.length,
      bytes: rounded.memory.buffer.byteLength + exact.memory.buffer.byteLength,
    }),
  }
}

/** Bytes of one chunk. */
export function chunkBytesOf(dimensions: number): number {
  return CHUNK_ROWS * (widthOf(dimensions) * 5 + 8)
}

function widthOf(dimensions: number): number {
  return Math.ceil(dimensions / 16) * 16
}

/** Scales and rounds a query for stores of its length. */
export function prepareQuery(vector: Float32Array): PreparedQuery {
  const width = widthOf(vector.length)
  const unit = new Float32Array(width)
  const integers = new Int16Array(width)
  writeUnit(vector, unit)
  return { unit, integers, rounding: roundTo16(unit, integers) }
}
