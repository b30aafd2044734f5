import assert from 'node:assert/strict'
import { definePort, SwitchyardError } from '@switchyard/contract'
import { describe, expect, test } from 'vitest'
import {
  conformance,
  judgeMutants,
  type Opened,
  rejectsWith,
  runSuite,
  type Subject,
  type Suite,
  suiteProblems,
  suites,
} from '../src/index.ts'

interface Fax {
  readonly capabilities: { readonly colour: boolean }
  send(page: string): Promise<string>
  colour(): Promise<void>
}

const echo: Suite<Fax> = {
  port: definePort<Fax>('acme/fax', 2),
  cases: [
    {
      id: 'acme/fax.send.echoes',
      promise: 'a page comes back',
      async check({ instance }) {
        assert.equal(await instance.send('page'), 'page')
      },
    },
    {
      id: 'acme/fax.colour.works',
      promise: 'colour works',
      declared: ({ capabilities }) => capabilities.colour,
      check: ({ instance }) => instance.colour(),
      async undeclared({ instance }) {
        await rejectsWith(() => instance.colour(), 'UNSUPPORTED', 'colour')
      },
    },
  ],
  mutants: [
    { name: 'says-nothing', killedBy: 'acme/fax.send.echoes', mutate: (right) => ({ ...right, send: async () => '' }) },
    {
      name: 'colour-breaks',
      killedBy: 'acme/fax.colour.works',
      mutate: (right) => ({ ...right, colour: () => Promise.reject(new Error('no')) }),
    },
  ],
}

interface Options {
  readonly colour?: boolean
  readonly send?: Fax['send']
  readonly close?: () => Promise<void>
}

function faxes({
  colour = true,
  send = async (page) => page,
  close,
}: Options = {}): Subject<Fax> & { opened: number; closed: number } {
  const subject = {
    name: 'a fax',
    opened: 0,
    closed: 0,
    async open(): Promise<Opened<Fax>> {
      subject.opened += 1
      const unsupported = new SwitchyardError('UNSUPPORTED', 'black and white')
      return {
        instance: { capabilities: { colour }, send, colour: () => (colour ? Promise.resolve() : Promise.reject(unsupported)) },
        now: () => 0,
        advance: async () => {},
        fixture: undefined,
        async close() {
          subject.closed += 1
          await close?.()
        },
      }
    },
  }
  return subject
}

const never = (): Promise<never> => new Promise(() => {})

describe('runSuite', () => {
  test('opens and closes afresh for each case, and reports plain data', async () => {
    const subject = faxes()
    const seen: string[] = []
    const report = await runSuite(echo, subject, { onCase: ({ id }) => seen.push(id) })
    expect(report).toMatchObject({
      port: { id: 'acme/fax', version: 2 },
      subject: 'a fax',
      capabilities: { colour: true },
      passed: 2,
      failed: 0,
    })
    expect(report.cases.map(({ status, ran }) => `${status} ${ran}`)).toEqual(['passed check', 'passed check'])
    expect(seen).toEqual(echo.cases.map(({ id }) => id))
    expect([subject.opened, subject.closed]).toEqual([2, 2])
    expect(JSON.parse(JSON.stringify(report))).toEqual(report)
  })

  test('runs the other half where a capability is not declared', async () => {
    const report = await runSuite(echo, faxes({ colour: false }))
    expect(report.cases[1]).toMatchObject({ status: 'passed', ran: 'undeclared' })
  })

  test.each<[string, Options, object]>([
    ['a broken promise', { send: async () => 'other' }, { during: 'check' }],
    ['a throw at once', { send: () => assert.fail('at once') }, { during: 'check', message: 'at once' }],
    [
      'a coded rejection',
      { send: () => Promise.reject(new SwitchyardError('TIMEOUT', 'slow')) },
      { code: 'TIMEOUT', message: 'slow' },
    ],
    ['what is no Error', { send: () => Promise.reject('text') }, { message: 'threw text, which is no Error' }],
    ['a hanging call', { send: never }, { during: 'check', message: expect.stringContaining('left hanging') }],
    ['a failing close', { close: () => Promise.reject(new Error('stuck')) }, { during: 'close', message: 'stuck' }],
    ['a hanging close', { close: never }, { during: 'close', message: expect.stringContaining('closing the subject') }],
  ])('fails a case for %s, and closes it all the same', async (_, options, error) => {
    const subject = faxes(options)
    const report = await runSuite(echo, subject, { only: ['acme/fax.send'], limitMs: 20 })
    expect(report).toMatchObject({ passed: 0, failed: 1, cases: [{ status: 'failed', error }] })
    expect(subject.closed).toBe(1)
  })

  test('a subject that does not open fails its cases; one that opens too late is still closed', async () => {
    const refusing: Subject<Fax> = { name: 'x', open: () => Promise.reject(new Error('no server')) }
    expect(await runSuite(echo, refusing)).toMatchObject({
      failed: 2,
      capabilities: null,
      cases: [{ error: { during: 'open' } }, {}],
    })
    const fax = faxes()
    let open: ((opened: Opened<Fax>) => void) | undefined
    const late: Subject<Fax> = { name: 'x', open: () => new Promise((resolve) => (open = resolve)) }
    const report = await runSuite(echo, late, { only: ['acme/fax.send'], limitMs: 10 })
    expect(report.cases[0]?.error).toMatchObject({ during: 'open', message: expect.stringContaining('10 ms') })
    open?.(await fax.open())
    await new Promise(setImmediate)
    expect(fax.closed).toBe(1)
  })

  test('picks cases by id or beginning, and refuses names of none', async () => {
    const one = await runSuite(echo, faxes(), { only: ['acme/fax.colour.works'] })
    expect(one.cases.map(({ id }) => id)).toEqual(['acme/fax.colour.works'])
    expect((await runSuite(echo, faxes(), { only: ['acme/fax'] })).cases).toHaveLength(2)
    await expect(runSuite(echo, faxes(), { only: ['acme/fax.se'] })).rejects.toThrow(TypeError)
  })
})

test('conformance registers a test for each case, which rejects with what was wrong', async () => {
  const tests = new Map<string, () => Promise<void>>()
  conformance(echo, faxes({ send: async () => 'other' }), (name, run) => tests.set(name, run))
  expect([...tests.keys()]).toEqual(['acme/fax.send.echoes: a page comes back', 'acme/fax.colour.works: colour works'])
  const [first, second] = [...tests.values()]
  await expect(first?.()).rejects.toThrow(/'other'/)
  await expect(second?.()).resolves.toBeUndefined()
  conformance(echo, faxes({ close: () => Promise.reject(new Error('stuck')) }), (name, run) => tests.set(name, run))
  await expect([...tests.values()][1]?.()).rejects.toThrow('close: stuck')
})

describe('judgeMutants', () => {
  test('finds nothing wrong with a suite that kills every mutant', async () => {
    const report = await judgeMutants(echo, faxes())
    expect(report.problems).toEqual([])
    expect(report.verdicts.map(({ verdict }) => verdict)).toEqual(['killed', 'killed'])
  })

  test('says which mutant survived', async () => {
    const harmless = { name: 'harmless', killedBy: 'acme/fax.send.echoes', mutate: (right: Fax) => ({ ...right }) }
    const report = await judgeMutants({ ...echo, mutants: [...echo.mutants, harmless] }, faxes())
    expect(report.problems).toEqual(['mutant harmless survived acme/fax.send.echoes'])
    expect(report.verdicts[2]).toEqual({ mutant: 'harmless', killedBy: 'acme/fax.send.echoes', verdict: 'survived' })
  })

  test('does not judge what the subject does not declare, and says so', async () => {
    const spared = { name: 'spared', killedBy: 'acme/fax.colour.works', mutate: (right: Fax) => ({ ...right }) }
    const report = await judgeMutants(
      { ...echo, mutants: [echo.mutants[0] ?? assert.fail(), spared] },
      faxes({ colour: false }),
    )
    expect(report.problems).toEqual([])
    expect(report.verdicts[1]?.verdict).toBe('not-judged')
  })

  test('asks a right subject first', async () => {
    const report = await judgeMutants(echo, faxes({ send: async () => 'other' }))
    expect(report.verdicts).toEqual([])
    expect(report.problems).toEqual([expect.stringContaining('a fax itself fails acme/fax.send.echoes')])
  })

  test('a mutant that cannot be opened, or fails only at close, kills nothing', async () => {
    const throwing = {
      name: 'throws',
      killedBy: 'acme/fax.send.echoes',
      mutate(): Fax {
        throw new Error('in mutate')
      },
    }
    const subject = faxes()
    const { problems } = await judgeMutants({ ...echo, mutants: [...echo.mutants, throwing] }, subject)
    expect(problems).toEqual([expect.stringContaining('could not be opened'), expect.stringContaining('throws survived')])
    expect(subject.closed).toBe(subject.opened)
  })
})

describe('suiteProblems', () => {
  const [first, second] = echo.cases
  assert.ok(first !== undefined && second !== undefined)

  test.each<[string, Partial<Suite<Fax>>, RegExp]>([
    ['an id that stands twice', { cases: [first, first, second] }, /echoes stands twice/],
    ['an id of another port', { cases: [first, second, { ...first, id: 'fax.send.x' }] }, /fax.send.x is ill-formed/],
    ['an id in another case', { cases: [first, second, { ...first, id: 'acme/fax.send.Copies' }] }, /ill-formed/],
    ['an id of two parts', { cases: [first, second, { ...first, id: 'acme/fax.send' }] }, /ill-formed/],
    ['no promise', { cases: [{ ...first, promise: ' ' }, second] }, /has no promise/],
    [
      'half a capability',
      { cases: [first, { id: second.id, promise: 'p', check: second.check, declared: () => true }] },
      /needs both/,
    ],
    [
      'a case that no mutant names',
      { cases: [...echo.cases, { ...first, id: 'acme/fax.send.more' }] },
      /more is named by no mutant/,
    ],
    ['a mutant that stands twice', { mutants: [...echo.mutants, ...echo.mutants] }, /mutant says-nothing stands twice/],
    ['a mutant of no case', { mutants: echo.mutants.map((mutant) => ({ ...mutant, killedBy: 'x' })) }, /which is no case/],
    [
      'a mutant without a proper name',
      { mutants: echo.mutants.map((mutant) => ({ ...mutant, name: 'Not Kebab' })) },
      /ill-formed/,
    ],
  ])('finds %s', (_, change, problem) => {
    expect(suiteProblems({ ...echo, ...change })).toContainEqual(expect.stringMatching(problem))
  })

  test.each(suites.map((suite) => [suite.port.id, suite] as const))('finds nothing wrong with the %s suite', (_, suite) => {
    expect(suiteProblems(suite)).toEqual([])
  })
})

describe('rejectsWith', () => {
  test.each<[string, () => Promise<unknown>, RegExp]>([
    ['a resolved promise', async () => 1, /must reject with TIMEOUT, but resolved/],
    ['a plain error', () => Promise.reject(new Error('raw')), /no SwitchyardError: Error: raw/],
    ['another code', () => Promise.reject(new SwitchyardError('ABORTED', 'left')), /rejected with ABORTED: left/],
    ['a throw at once', () => assert.fail('sync'), /threw at once/],
  ])('fails on %s', async (_, work, message) => {
    await expect(rejectsWith(work, 'TIMEOUT', 'the call')).rejects.toThrow(message)
  })

  test('gives the error of a right rejection', async () => {
    const error = new SwitchyardError('TIMEOUT', 'slow')
    await expect(rejectsWith(() => Promise.reject(error), ['ABORTED', 'TIMEOUT'], 'the call')).resolves.toBe(error)
  })
})
