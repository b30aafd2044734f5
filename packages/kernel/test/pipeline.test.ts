import { type Call, type Next, type Policy, STAGES, type Stage, SwitchyardError } from '@switchyard/contract'
import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { startKernel } from '../src/index.ts'
import { plugin, policy, rejection, server, to } from './fixtures.ts'

const pages = (count = 1): { 'fax.send': () => Promise<{ pages: number }> } => ({ 'fax.send': async () => ({ pages: count }) })

/** A policy that notes when it is entered and left. */
const noting = (notes: string[], stage: Stage, name: string, more: Partial<Policy> = {}): ReturnType<typeof plugin> =>
  policy(
    stage,
    name,
    async (call, next) => {
      notes.push(`>${name}`)
      const reply = await next(call)
      notes.push(`<${name}`)
      return reply
    },
    more,
  )

test('stages decide the order, then the order of plugins, whatever starts first', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...STAGES), { maxLength: 12 }), async (stages) => {
      const notes: string[] = []
      const named = stages.map((stage, index) => ({ stage, name: `p${index}` }))
      await using kernel = await startKernel({
        plugins: [...named.map(({ stage, name }) => noting(notes, stage, name)), server(pages())],
      })
      await kernel.call('fax.send', to)
      const expected = STAGES.flatMap((stage) => named.filter((one) => one.stage === stage).map(({ name }) => name))
      expect(notes).toEqual([...expected.map((name) => `>${name}`), ...expected.toReversed().map((name) => `<${name}`)])
    }),
    { numRuns: 40 },
  )
})

test('one plugin may bring several policies, which keep its order', async () => {
  const notes: string[] = []
  const around: Policy['around'] = (call, next) => next(call)
  const bring = (name: string, stage: Stage): Policy => ({
    name,
    stage,
    operations: '*',
    around: (call, next) => {
      notes.push(name)
      return around(call, next)
    },
  })
  const kernel = await startKernel({
    plugins: [
      plugin('guards', {
        setup: () => ({ ports: {}, policies: [bring('b', 'cache'), bring('a', 'admit'), bring('c', 'cache')] }),
      }),
      server(pages()),
    ],
  })
  await kernel.call('fax.send', to)
  expect(notes).toEqual(['a', 'b', 'c'])
})

test('a policy is for the operations it names', async () => {
  const notes: string[] = []
  const kernel = await startKernel({
    plugins: [
      noting(notes, 'admit', 'sends', { operations: ['fax.send'] }),
      noting(notes, 'admit', 'others', { operations: ['fax.watch', 'sql.query'] }),
      server(pages()),
    ],
  })
  await kernel.call('fax.send', to)
  expect(notes).toEqual(['>sends', '<sends'])
})

test('policies are composed once an operation, not at each call', async () => {
  const reads = vi.fn(() => '*' as const)
  const counted: Policy = {
    name: 'counted',
    stage: 'admit',
    get operations() {
      return reads()
    },
    around: (call, next) => next(call),
  }
  const kernel = await startKernel({
    plugins: [plugin('counted', { setup: () => ({ ports: {}, policies: [counted] }) }), server(pages())],
  })
  const before = reads.mock.calls.length
  for (let calls = 0; calls < 10; calls++) await kernel.call('fax.send', to)
  expect(reads).toHaveBeenCalledTimes(before)

  await rejection(kernel.call('fax.watch', to))
  const withUnnamed = reads.mock.calls.length
  await rejection(kernel.call('fax.watch', to))
  expect(reads).toHaveBeenCalledTimes(withUnnamed)
})

test('next may run no time, many times and at the same time', async () => {
  let served = 0
  const serves = {
    'fax.send': async () => {
      served += 1
      if (served === 1) throw new SwitchyardError('UPSTREAM_UNAVAILABLE', 'busy')
      return { pages: served }
    },
  }
  const shortcut = policy('cache', 'shortcut', async (call, next) => (call.target === 'cached' ? { pages: 0 } : next(call)))
  const hedge = policy('resilience', 'hedge', (call, next) =>
    Promise.any([next({ ...call, attempt: 2 }), next({ ...call, attempt: 3 })]),
  )
  const kernel = await startKernel({ plugins: [shortcut, hedge, server(serves)] })
  expect(await kernel.call('fax.send', { ...to, target: 'cached' })).toEqual({ pages: 0 })
  expect(served).toBe(0)
  expect(await kernel.call('fax.send', to)).toEqual({ pages: 2 })
  expect(served).toBe(2)
})

test('each policy inside is given what the one outside handed on', async () => {
  const seen: Call[] = []
  const look = (name: string, stage: Stage): ReturnType<typeof plugin> =>
    policy(stage, name, (call, next) => {
      seen.push(call)
      return next(call)
    })
  const kernel = await startKernel({
    plugins: [
      look('outside', 'admit'),
      policy('route', 'router', (call, next) =>
        next({ ...call, target: 'second', attributes: { ...call.attributes, route: 'b' } }),
      ),
      look('inside', 'resilience'),
      server(pages(1), 'first'),
      look('innermost', 'transport'),
      server(pages(2), 'second'),
    ],
  })
  expect(await kernel.call('fax.send', { ...to, target: 'first', attributes: { price: 1 } })).toEqual({ pages: 2 })
  expect(seen.map(({ target, attributes }) => ({ target, attributes }))).toEqual([
    { target: 'first', attributes: { price: 1 } },
    { target: 'second', attributes: { price: 1, route: 'b' } },
    { target: 'second', attributes: { price: 1, route: 'b' } },
  ])
  expect(new Set(seen.map(({ trace }) => trace)).size).toBe(1)
})

test('calls are frozen wherever they are seen, copies made by policies too', async () => {
  const tampers: unknown[] = []
  const tamper = (call: Call): void => {
    try {
      ;(call as { target: string }).target = 'mine'
    } catch (error) {
      tampers.push(error)
    }
  }
  const tampering = async (call: Call, next: Next): Promise<unknown> => {
    tamper(call)
    return next({ ...call, attempt: 2 })
  }
  const kernel = await startKernel({
    plugins: [
      policy('admit', 'first', tampering),
      policy('cache', 'second', tampering),
      server({
        'fax.send': async (call) => {
          tamper(call)
          return { pages: call.attempt }
        },
      }),
    ],
  })
  const attributes = { route: 'a' }
  await kernel.call('fax.send', { ...to, attributes })
  expect(tampers).toEqual([expect.any(TypeError), expect.any(TypeError), expect.any(TypeError)])
  expect(Object.isFrozen(attributes)).toBe(false)
})

test('a call has the defaults that its caller left out', async () => {
  let seen: Call | undefined
  const kernel = await startKernel(
    {
      plugins: [
        server({
          'fax.send': async (call) => {
            seen = call
            return { pages: 1 }
          },
        }),
      ],
    },
    { newId: () => 'id-1' },
  )
  await kernel.call('fax.send', to)
  expect(seen).toMatchObject({
    id: 'id-1',
    operation: 'fax.send',
    attempt: 1,
    idempotent: false,
    deadline: undefined,
    attributes: {},
  })
  await kernel.call('fax.send', { ...to, id: 'mine', idempotent: true })
  expect(seen).toMatchObject({ id: 'mine', idempotent: true })
})

test('an unknown target names those that serve the operation', async () => {
  const kernel = await startKernel({ plugins: [server(pages()), server(pages(), 'spare'), plugin('tray')] })
  expect(await rejection(kernel.call('fax.send', { ...to, target: 'tray' }))).toMatchObject({
    code: 'NOT_FOUND',
    message: 'no target "tray" serves fax.send; known targets: fax, spare',
    details: { targets: ['fax', 'spare'] },
  })
  expect(await rejection(kernel.call('fax.watch', to))).toMatchObject({
    message: expect.stringContaining('no plugin serves it'),
  })
})

test('policies for all operations also see one that nobody serves', async () => {
  const notes: string[] = []
  const kernel = await startKernel({ plugins: [noting(notes, 'observe', 'all')] })
  expect(await rejection(kernel.call('fax.send', to))).toMatchObject({ code: 'NOT_FOUND' })
  await rejection(kernel.call('fax.send', to))
  expect(notes).toEqual(['>all', '>all'])
})

test.each([
  [
    'throws',
    (): never => {
      throw new RangeError('off the page')
    },
  ],
  [
    'rejects',
    async (): Promise<never> => {
      throw new RangeError('off the page')
    },
  ],
])('an unknown error that a handler %s is INTERNAL, with its cause, before any policy sees it', async (_, handler) => {
  let seen: unknown
  const watch = policy('resilience', 'watch', (call, next) =>
    next(call).catch((error: unknown) => {
      seen = error
      throw error
    }),
  )
  const kernel = await startKernel({ plugins: [watch, server({ 'fax.send': handler })] })
  const error = await rejection(kernel.call('fax.send', to))
  expect(error).toMatchObject({ code: 'INTERNAL', plugin: 'fax', cause: new RangeError('off the page'), retryable: false })
  expect(seen).toBe(error)
})

test.each([
  [
    'throws',
    (): never => {
      throw 'paper jam'
    },
  ],
  [
    'rejects',
    async (): Promise<never> => {
      throw 'paper jam'
    },
  ],
])('an unknown error that a policy %s is INTERNAL, with its cause, before the next policy sees it', async (_, around) => {
  let seen: unknown
  const watch = policy('observe', 'watch', (call, next) =>
    next(call).catch((error: unknown) => {
      seen = error
      throw error
    }),
  )
  const kernel = await startKernel({ plugins: [watch, policy('admit', 'jam', around), server(pages())] })
  const error = await rejection(kernel.call('fax.send', to))
  expect(error).toMatchObject({
    code: 'INTERNAL',
    plugin: 'jam',
    cause: 'paper jam',
    message: expect.stringContaining('"jam"'),
  })
  expect(seen).toBe(error)
})

test('errors of the contract pass as they are', async () => {
  const refusal = new SwitchyardError('FORBIDDEN', 'no')
  const pass = policy('observe', 'pass', (call, next) => next(call))
  const kernel = await startKernel({ plugins: [pass, server({ 'fax.send': () => Promise.reject(refusal) })] })
  expect(await rejection(kernel.call('fax.send', to))).toBe(refusal)
})

test('a plugin in plain JavaScript may answer without a promise', async () => {
  const kernel = await startKernel({
    plugins: [policy('admit', 'plain', (() => ({ pages: 3 })) as never), server(pages())],
  })
  expect(await kernel.call('fax.send', to)).toEqual({ pages: 3 })
})

test('handlers and policies keep their `this`', async () => {
  class Fax {
    readonly #count = 4
    async 'fax.send'(): Promise<{ pages: number }> {
      return { pages: this.#count }
    }
  }
  const kernel = await startKernel({ plugins: [server(new Fax())] })
  expect(await kernel.call('fax.send', to)).toEqual({ pages: 4 })
})

test('the trace keeps decisions in order and adds measures up', async () => {
  let seen: Call | undefined
  const kernel = await startKernel({
    plugins: [
      server({
        'fax.send': async (call) => {
          seen = call
          expect(call.trace.decisions).toEqual([])
          expect(call.trace.measures.size).toBe(0)
          call.trace.decide('route', 'second', { price: 1 })
          call.trace.decide('retry', 'again')
          call.trace.measure('waitMs', 2)
          call.trace.measure('waitMs', 3)
          return { pages: 1 }
        },
      }),
    ],
  })
  await kernel.call('fax.send', to)
  expect(seen?.trace.decisions).toEqual([
    { by: 'route', decision: 'second', because: { price: 1 } },
    { by: 'retry', decision: 'again' },
  ])
  expect([...(seen?.trace.measures ?? [])]).toEqual([['waitMs', 5]])
})

test.each([{ tenant: '' }, { keyId: '' }, { tenant: undefined }])(
  'a principal with %j is refused before any policy',
  async (part) => {
    const notes: string[] = []
    const kernel = await startKernel({ plugins: [noting(notes, 'observe', 'all'), server(pages())] })
    const init = { ...to, principal: { ...to.principal, ...part } as typeof to.principal }
    expect(await rejection(kernel.call('fax.send', init))).toMatchObject({ code: 'INVALID_REQUEST' })
    expect(await rejection(kernel.explain('fax.send', init))).toMatchObject({ code: 'INVALID_REQUEST' })
    expect(notes).toEqual([])
  },
)
