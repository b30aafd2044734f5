/** Memory of a WebAssembly instance. `buffer` is another one each time that it has grown. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer
  grow(pages: number): number
}

/** What is used of the global that Node has and its types lack. */
interface WasmGlobal {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (
    module: object,
    imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  ) => { readonly exports: object }
  readonly Memory: new (limits: { readonly initial: number; readonly maximum: number }) => WasmMemory
}

export const wasm: WasmGlobal = (globalThis as unknown as { readonly WebAssembly: WasmGlobal }).WebAssembly
