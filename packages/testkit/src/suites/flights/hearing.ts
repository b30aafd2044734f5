import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Flights, Lead, Listening } from '@switchyard/contract'
import type { Opened } from '../../conformance/suite.ts'

/** How long what was handed over may be under way on a clock that goes by itself. */
const PATIENCE_MS = 2000
const STEP_MS = 10
/** After as long without another, nothing is taken to be under way. */
const QUIET_MS = 60

/** UTF-8 of a text. */
export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** What a listener heard up to now, and how it ended. Where the pieces are cut is nobody's promise. */
export interface Ear {
  readonly heard: Uint8Array
  readonly text: string
  /** `complete`, or what it rejected with; undefined as long as it goes on. */
  readonly end: unknown
}

/** Reads a flight as it comes, once `begin` has come where one is given. */
export function hear(listening: Listening, begin: Promise<void> = Promise.resolve()): Ear {
  const chunks: Uint8Array[] = []
  let end: unknown
  const run = async (): Promise<void> => {
    await begin
    for await (const chunk of listening.chunks) {
      assert.ok(chunk instanceof Uint8Array, 'a chunk is no Uint8Array')
      chunks.push(chunk)
    }
  }
  run().then(
    () => {
      end = 'complete'
    },
    (error: unknown) => {
      end = error
    },
  )
  return {
    get heard() {
      return joined(chunks)
    },
    get text() {
      return new TextDecoder().decode(joined(chunks))
    },
    get end() {
      return end
    },
  }
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(chunks.reduce((total, { length }) => total + length, 0))
  let at = 0
  for (const chunk of chunks) {
    all.set(chunk, at)
    at += chunk.length
  }
  return all
}

/** Joins as one who is to lead. */
export async function lead({ instance }: Opened<Flights>, key: string): Promise<Lead> {
  const joined = await instance.join(key)
  assert.equal(joined.role, 'leader', `role at ${JSON.stringify(key)}`)
  return joined as Lead
}

/** Joins as one who is to listen. */
export async function listen({ instance }: Opened<Flights>, key: string): Promise<Listening> {
  const joined = await instance.join(key)
  assert.equal(joined.role, 'listener', `role at ${JSON.stringify(key)}`)
  return joined as Listening
}

async function pass(opened: Opened<Flights>, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += STEP_MS) {
    await opened.advance(STEP_MS)
    await nextTurn()
  }
}

/** Waits until `done`, at most as long as anything may be under way. */
export async function until(opened: Opened<Flights>, done: () => boolean | Promise<boolean>): Promise<void> {
  for (let passed = 0; passed < PATIENCE_MS && !(await done()); passed += STEP_MS) await pass(opened, STEP_MS)
}

/** Lets pass what may be under way still. */
export function quiet(opened: Opened<Flights>): Promise<void> {
  return pass(opened, QUIET_MS)
}

/** Asserts that exactly this is heard, and then no more. */
export async function hears(opened: Opened<Flights>, ear: Ear, text: string, what: string): Promise<void> {
  await until(opened, () => ear.heard.length >= bytes(text).length)
  await quiet(opened)
  assert.equal(ear.text, text, what)
}

/** Asserts that a listener comes to this end. */
export async function ends(opened: Opened<Flights>, ear: Ear, end: 'complete' | 'CONFLICT', what: string): Promise<void> {
  await until(opened, () => ear.end !== undefined)
  if (end === 'complete') return assert.equal(ear.end, 'complete', what)
  const { code, retryable } = (ear.end ?? {}) as { readonly code?: unknown; readonly retryable?: unknown }
  assert.deepEqual({ code, retryable }, { code: 'CONFLICT', retryable: true }, what)
}
