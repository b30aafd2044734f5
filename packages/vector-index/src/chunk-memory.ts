import { type WasmMemory, wasm } from './web-assembly.ts'

/** WebAssembly memory that holds chunks of one size, counted from 0. */
export interface ChunkMemory {
  readonly memory: WasmMemory
  /** Of a chunk, in bytes; a multiple of 16. */
  addressOf(chunk: number): number
  /** Makes room for so many chunks. Throws a RangeError where memory runs out. */
  hold(chunks: number): void
  /** Views of the whole, each good until more is held. */
  bytes(): Int8Array
  shorts(): Int16Array
  floats(): Float32Array
  integers(): Uint32Array
}

const PAGE = 65_536
/** 4 GiB. */
const MAX_PAGES = 65_536
/** Grown by so much of what is there at least, so that growing is seldom. The address space is reserved, so that nothing is copied. */
const GROWTH = 0.125

/** Makes memory whose first `headBytes` are no chunk. */
export function chunkMemory(headBytes: number, chunkBytes: number): ChunkMemory {
  const first = Math.ceil(headBytes / 16) * 16
  const memory = new wasm.Memory({ initial: Math.ceil(first / PAGE), maximum: MAX_PAGES })
  let bytes = new Int8Array(memory.buffer)
  let shorts = new Int16Array(memory.buffer)
  let floats = new Float32Array(memory.buffer)
  let integers = new Uint32Array(memory.buffer)
  return {
    memory,
    addressOf: (chunk) => first + chunk * chunkBytes,
    hold(chunks) {
      const pages = memory.buffer.byteLength / PAGE
      const missing = Math.ceil((first + chunks * chunkBytes) / PAGE) - pages
      if (missing <= 0) return
      memory.grow(Math.max(missing, Math.min(Math.ceil(pages * GROWTH), MAX_PAGES - pages)))
      bytes = new Int8Array(memory.buffer)
      shorts = new Int16Array(memory.buffer)
      floats = new Float32Array(memory.buffer)
      integers = new Uint32Array(memory.buffer)
    },
    bytes: () => bytes,
    shorts: () => shorts,
    floats: () => floats,
    integers: () => integers,
  }
}
