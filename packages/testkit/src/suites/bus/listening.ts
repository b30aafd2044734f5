import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Bus } from '@switchyard/contract'
import type { Opened } from '../../conformance/suite.ts'

/** How long a message may be under way on a clock that goes by itself. */
const PATIENCE_MS = 2000
const STEP_MS = 10
/** After as long without another, none is taken to be under way. */
const QUIET_MS = 50

/** What a subscription heard, as texts in order of arrival, and its end. */
export interface Ear {
  readonly heard: readonly string[]
  stop(): Promise<void>
}

/** UTF-8 of a text, as a message. */
export function message(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** Listens to a topic and writes down what comes. */
export async function listen(bus: Bus, topic: string): Promise<Ear> {
  const heard: string[] = []
  const stop = await bus.subscribe(topic, (bytes) => {
    heard.push(new TextDecoder().decode(bytes))
  })
  return { heard, stop }
}

/** Lets `ms` pass, and whatever can happen in it. */
async function pass(opened: Opened<Bus>, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += STEP_MS) {
    await opened.advance(STEP_MS)
    await nextTurn()
  }
}

/** Waits until `done`, at most as long as a message may be under way. */
export async function until(opened: Opened<Bus>, done: () => boolean): Promise<void> {
  for (let passed = 0; passed < PATIENCE_MS && !done(); passed += STEP_MS) await pass(opened, STEP_MS)
}

/** Asserts that exactly these came, in any order, and after them no more. */
export async function hears(
  opened: Opened<Bus>,
  ear: Pick<Ear, 'heard'>,
  texts: readonly string[],
  what: string,
): Promise<void> {
  await until(opened, () => ear.heard.length >= texts.length)
  await pass(opened, QUIET_MS)
  assert.deepEqual(ear.heard.toSorted(), texts.toSorted(), what)
}
