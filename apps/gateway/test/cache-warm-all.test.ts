import { virtualClock } from '@switchyard/testkit'
import { describe, expect, test } from 'vitest'
import { type Alike, replayLikeness } from '../src/cli/cache/log-likeness.ts'
import { readLogLine } from '../src/cli/cache/log-line.ts'
import { warmAll } from '../src/cli/cache/warm-all.ts'
import type { Warmed } from '../src/cli/cache/warm-gateway.ts'

const request = readLogLine(JSON.stringify({ model: 'a', messages: [] }))

async function* so(many: number): AsyncGenerator<typeof request> {
  for (let at = 0; at < many; at += 1) yield request
}

/** Sends so many to a gateway that says these one after the other, and tells when each was asked. */
async function sent(many: number, said: readonly Warmed[], concurrency = 1) {
  const clock = virtualClock()
  const times: number[] = []
  const waits: string[] = []
  const began = clock.now()
  const running = warmAll({
    requests: so(many),
    gateway: {
      async send() {
        times.push(clock.now() - began)
        return said[times.length - 1] ?? { kind: 'kept' }
      },
    },
    concurrency,
    signal: new AbortController().signal,
    clock,
    progress: (_done, waiting) => void (waiting !== '' && waits.push(waiting)),
  })
  let done = false
  void running.finally(() => {
    done = true
  })
  while (!done) await clock.advance(250)
  return { ...(await running), times, waits }
}

const later = (afterMs?: number): Warmed => ({ kind: 'later', afterMs, why: '429: slow down' })

describe('the warming of many', () => {
  test('waits as long as it is told, all of it, and longer each time where it is not told', async () => {
    const told = await sent(2, [later(3_000)], 2)
    expect(told).toMatchObject({ kept: 2, sent: 2, stopped: undefined })
    expect(told.times.slice(2).every((time) => time >= 3_000)).toBe(true)
    expect(told.waits[0]).toMatch(/^waiting 3 s as the gateway asks$/)
    const untold = await sent(1, [later(), later(), later()])
    expect(untold.times).toEqual([0, 1_000, 3_000, 7_000])
  })

  test('gives one up after six tries', async () => {
    const { times, failed, reasons } = await sent(
      1,
      Array.from({ length: 9 }, () => later(250)),
    )
    expect(times).toHaveLength(6)
    expect({ failed, reasons }).toEqual({ failed: 1, reasons: ['429: slow down'] })
  })

  test('goes on after two that could not be sent, and ends at the third in a row', async () => {
    const gone: Warmed = { kind: 'unreachable', why: 'refused' }
    expect(await sent(4, [gone, gone, { kind: 'filled', microUsd: 5 }, gone])).toMatchObject({
      failed: 3,
      filled: 1,
      microUsd: 5,
      stopped: undefined,
    })
    expect(await sent(9, [gone, gone, gone])).toMatchObject({ sent: 3, stopped: { code: 'unreachable' } })
  })

  test('what is no answer of a gateway is thrown', async () => {
    const clock = virtualClock()
    const send = async (): Promise<never> => {
      throw new TypeError('a mistake')
    }
    await expect(
      warmAll({
        requests: so(3),
        gateway: { send },
        concurrency: 2,
        signal: new AbortController().signal,
        clock,
        progress: () => {},
      }),
    ).rejects.toThrow('a mistake')
  })
})

test('an answer that likeness gave is not kept for the asker’s own words', () => {
  const topics = ['reset my password', 'track my order', 'cancel my subscription']
  const forms = ['how do i', 'how can i', 'i want to', 'help me', 'what must i do to', 'tell me how to']
  const one = (index: number, word: string): Alike => {
    const label = topics[index % 3] as string
    const text = `${forms[index % 6]} ${label} ${word}`
    return {
      key: text,
      partition: 'p',
      population: 'q',
      text,
      earlierTurns: false,
      shared: false,
      label,
      epsilon: undefined,
    } as Alike
  }
  const word = (at: number): string =>
    String.fromCharCode(97 + (at % 26), 97 + (Math.floor(at / 26) % 26), 97 + ((at * 11) % 26))
  const first = Array.from({ length: 900 }, (_, at) => one(at, word(at)))
  const twice = Array.from({ length: 60 }, (_, at) => one(at, `again ${word(at)}`)).flatMap((each) => [each, each])
  const stream = [...first, ...twice]
  const { exact, alike } = replayLikeness(stream, 0.03, 'en', () => {})
  expect(alike).toBeGreaterThan(0.2)
  // Only those whose first answer was fresh are found again by their own words.
  expect(Math.round(exact * stream.length)).toBeLessThan(30)
})
