import { KERNEL_BYTES } from './kernel-bytes.ts'
import { type WasmMemory, wasm } from './web-assembly.ts'

/** The inner loops, over one memory; addresses and layout are told in `wasm/kernel.wat`. */
export interface Kernel {
  scan(
    query: number,
    step: number,
    width: number,
    rows: number,
    chunks: number,
    count: number,
    least: number,
    out: number,
  ): number
  dot(one: number, other: number, width: number): number
}

let compiled: object | undefined

/** The inner loops over this memory. The module is compiled once, when it is first asked for. */
export function kernel(memory: WasmMemory): Kernel {
  compiled ??= new wasm.Module(Buffer.from(KERNEL_BYTES, 'base64'))
  return new wasm.Instance(compiled, { index: { memory } }).exports as Kernel
}
