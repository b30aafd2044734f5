import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { SwitchyardError } from '@switchyard/contract'
import { recordingLogger, virtualClock } from '@switchyard/testkit'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { adopt } from '../src/journal/adopt.ts'
import { Journal, type Mark } from '../src/journal/journal.ts'
import { endedLine, openedLine, replay, wholeLine } from '../src/journal/record.ts'
import { OPENING_COLUMNS, OUTCOME_COLUMNS } from '../src/ledger/columns.ts'
import { callOf, rejection, replyOf, startWorld } from './support/world.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'journal-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const opening = (id: string) => [id, ...new Array(OPENING_COLUMNS.length - 1).fill(null)]
const outcome = (cost: number) => ['attempt', cost, ...new Array(OUTCOME_COLUMNS.length - 2).fill(null)]
const opened = (id: string): string => openedLine(JSON.stringify(opening(id)))
const mark = (): Mark => ({ opened: undefined, ended: undefined, booked: false })
const segments = (): readonly string[] => readdirSync(folder).filter((name) => name.includes('.journal'))

function journalOf(name: string, changes: { readonly maxBytes?: number; readonly fsyncMs?: number } = {}) {
  const clock = virtualClock()
  const log = recordingLogger()
  return { clock, log, journal: new Journal({ directory: folder, name, fsyncMs: 0, maxBytes: 65_536, clock, log, ...changes }) }
}

describe('records', () => {
  test('what began and ended is a row, what only began is open', () => {
    const text = `${opened('a')}${opened('b')}${endedLine('a', outcome(5))}${wholeLine([...opening('c'), ...outcome(0)])}`
    const { ended, open, unreadable } = replay([text])
    expect(ended.map(([id]) => id)).toEqual(['a', 'c'])
    expect(open.map(([id]) => id)).toEqual(['b'])
    expect(unreadable).toBe(0)
  })

  test('an end in the next file finds its beginning; one whose beginning went was booked', () => {
    expect(replay([opened('a'), `${endedLine('a', outcome(1))}${endedLine('gone', outcome(1))}`]).ended).toHaveLength(1)
  })

  test('a file that was cut anywhere loses at most the record that was cut', () => {
    const text = ['a', 'b', 'c'].map((id) => `${opened(id)}${endedLine(id, outcome(1))}`).join('')
    fc.assert(
      fc.property(fc.nat({ max: text.length }), (length) => {
        const { ended, open } = replay([text.slice(0, length)])
        const whole = text.slice(0, length).split('\n').length - 1
        expect(ended.length * 2 + open.length).toBeGreaterThanOrEqual(whole)
        expect(ended.length * 2 + open.length).toBeLessThanOrEqual(whole + 1)
      }),
    )
  })

  test('garbage is counted and passed over', () => {
    expect(replay(['x\no[1]\no{"a":1}\n', opened('a')])).toMatchObject({
      unreadable: 3,
      open: [[expect.anything(), ...[]]].length ? expect.anything() : [],
    })
  })
})

describe('a journal', () => {
  test('has a beginning in the file before it resolves, many in one write', async () => {
    const { journal } = journalOf('j')
    await Promise.all(['a', 'b', 'c'].map((id) => journal.opened(opened(id), mark())))
    expect(readFileSync(join(folder, 'j.0.journal'), 'utf8')).toBe(`${opened('a')}${opened('b')}${opened('c')}`)
    journal.close()
    expect(segments()).toEqual(['j.0.journal'])
  })

  test('goes file by file when what is in it was booked, and leaves nothing behind', async () => {
    const { journal } = journalOf('j')
    const marks: Mark[] = []
    for (let index = 0; index < 200; index++) {
      const one = mark()
      marks.push(one)
      await journal.opened(openedLine(JSON.stringify(opening('x'.repeat(100)))), one)
      journal.ended(endedLine('x', outcome(1)), one)
    }
    journal.write()
    expect(segments().length).toBeGreaterThan(4)
    for (const one of marks) journal.booked(one)
    expect(segments()).toHaveLength(1)
    journal.close()
    expect(readdirSync(folder)).toEqual([])
  })

  test('refuses once it is full, and takes again once rows were booked', async () => {
    const { journal } = journalOf('j')
    const marks: Mark[] = []
    const fill = async (): Promise<void> => {
      for (let index = 0; index < 2_000; index++) {
        const one = mark()
        await journal.opened(openedLine(JSON.stringify(opening('x'.repeat(100)))), one)
        marks.push(one)
      }
    }
    expect(await rejection(fill())).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', details: { sent: false } })
    expect(journal.bytes).toBeGreaterThan(65_536)
    for (const one of marks) journal.booked(one)
    await journal.opened(opened('a'), mark())
    journal.close()
  })

  test('a folder that cannot be is told at start', () => {
    writeFileSync(join(folder, 'file'), '')
    const clock = virtualClock()
    const options = { directory: join(folder, 'file'), name: 'j', fsyncMs: 0, maxBytes: 65_536, clock, log: recordingLogger() }
    expect(() => new Journal(options)).toThrow(/journal.directory/)
    expect(clock.pending()).toBe(0)
  })
})

describe('what others left', () => {
  test('a journal of a living process is left alone, of this one and of another', async () => {
    const { journal } = journalOf('mine')
    await journal.opened(opened('a'), mark())
    writeFileSync(join(folder, 'other.0.journal'), opened('b'))
    writeFileSync(join(folder, 'other.lease'), JSON.stringify({ pid: process.ppid, host: hostname(), at: 1_000 }))
    writeFileSync(join(folder, 'far.0.journal'), opened('c'))
    writeFileSync(join(folder, 'far.lease'), JSON.stringify({ pid: 1, host: 'elsewhere', at: 1_000 }))
    expect(adopt(folder, 'new', 2_000)).toEqual([])
    expect(
      adopt(folder, 'new', 62_000)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['far', 'other'])
    journal.close()
  })

  test('a dead one is claimed by one of several, and again when the claimer dies', () => {
    writeFileSync(join(folder, 'dead.0.journal'), opened('a'))
    writeFileSync(join(folder, 'dead.1.journal'), endedLine('a', outcome(1)))
    const [first] = adopt(folder, 'one', 0)
    expect(first).toMatchObject({ name: 'dead', open: [], unreadable: 0 })
    expect(first?.ended).toHaveLength(1)
    const [again] = adopt(folder, 'two', 0)
    expect(again?.ended).toHaveLength(1)
    again?.remove()
    expect(readdirSync(folder)).toEqual([])
  })

  test('is booked at start: ends as they ended, the rest as unsettled, half a line as nothing', async () => {
    const first = await startWorld({ journal: { directory: folder } })
    first.sqlite.before = (text) => {
      if (text.startsWith('INSERT INTO switchyard_ledger')) throw new SwitchyardError('UPSTREAM_UNAVAILABLE', 'away')
    }
    await first.send(callOf({ attributes: { session: 'ended' } }))
    void first.send(callOf({ attributes: { session: 'open' } }), () => new Promise(() => {}))
    await first.rest()
    await first.plugin.close().catch(() => {})
    const [file] = segments()
    appendFileSync(join(folder, file as string), 'o["half')
    const second = await startWorld({ journal: { directory: folder } })
    const rows = await second.rows()
    expect(rows.map(({ session, kind }) => [session, kind])).toEqual([
      ['ended', 'attempt'],
      ['open', 'unsettled'],
    ])
    expect(rows[1]?.cost_pusd).toBeGreaterThan(0)
    await second.plugin.close()
    expect(readdirSync(folder)).toEqual([])
  })

  test('a database that is away fills the journal, then refuses, and loses nothing', async () => {
    const world = await startWorld({ journal: { directory: folder, maxBytes: 65_536 } })
    world.sqlite.failure = new SwitchyardError('UPSTREAM_UNAVAILABLE', 'away')
    let served = 0
    const fill = async (): Promise<void> => {
      for (;;) {
        await world.send(callOf(), async () => replyOf())
        served += 1
      }
    }
    expect(await rejection(fill())).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', details: { sent: false } })
    expect(served).toBeGreaterThan(20)
    world.sqlite.failure = undefined
    await world.clock.advance(20_000)
    expect(await world.rows()).toHaveLength(served)
    await world.send(callOf())
    await world.plugin.close()
    expect(existsSync(folder) && readdirSync(folder)).toEqual([])
  })
})
