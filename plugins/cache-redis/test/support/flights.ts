import { type Flights, flights, type Listening } from '@switchyard/contract'
import type { CacheRedisInput } from '../../src/index.ts'
import { open } from './server.ts'

/** UTF-8 of a text. */
export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** The flights of one more node, which is closed when the test ends. */
export async function node(options: CacheRedisInput): Promise<Flights> {
  return (await open(options)).plugin.port(flights)
}

/** What a listener has heard, and how that ended. */
export function hear({ chunks }: Listening): { readonly text: string; readonly end: unknown } {
  const ear = { text: '', end: undefined as unknown }
  const run = async (): Promise<void> => {
    for await (const chunk of chunks) ear.text += new TextDecoder().decode(chunk)
  }
  run().then(
    () => {
      ear.end = 'complete'
    },
    (error: unknown) => {
      ear.end = error
    },
  )
  return ear
}
