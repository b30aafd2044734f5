import { z } from 'zod'

/** Typed arrays as base64 of little-endian bytes, which all machines that run Node have. */
export const packedSchema: z.ZodType<PackedArray> = z.strictObject({
  type: z.enum(['u16', 'u32', 'f32', 'f64']),
  data: z.base64(),
})

/** A typed array in JSON. */
export interface PackedArray {
  readonly type: 'u16' | 'u32' | 'f32' | 'f64'
  readonly data: string
}

type Packable = Uint16Array | Uint32Array | Float32Array | Float64Array

const KINDS = { u16: Uint16Array, u32: Uint32Array, f32: Float32Array, f64: Float64Array } as const

/** Writes an array down. */
export function pack(array: Packable): PackedArray {
  const type =
    array instanceof Uint16Array ? 'u16' : array instanceof Uint32Array ? 'u32' : array instanceof Float32Array ? 'f32' : 'f64'
  return { type, data: Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString('base64') }
}

/** Reads an array back; it owns its memory. Throws a RangeError where the bytes do not make whole numbers. */
export function unpack({ type, data }: PackedArray): Packable {
  const bytes = Buffer.from(data, 'base64')
  const Kind = KINDS[type]
  if (bytes.length % Kind.BYTES_PER_ELEMENT !== 0) throw new RangeError(`${bytes.length} bytes are no ${type} array`)
  return new Kind(new Uint8Array(bytes).buffer)
}
