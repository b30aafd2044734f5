import * as contract from '@switchyard/contract'
import { expect, test } from 'vitest'
import { startKernel } from '../src/index.ts'
import { plugin, policy, rejection, server, to } from './fixtures.ts'

/** A second copy of the contract, as a plugin has it whose package manager installed one of its own. */
async function secondCopy(): Promise<typeof contract> {
  const [error, port, secret] = await Promise.all([
    import('../../contract/src/error.ts?copy' as '../../contract/src/error.ts'),
    import('../../contract/src/port.ts?copy' as '../../contract/src/port.ts'),
    import('../../contract/src/secret.ts?copy' as '../../contract/src/secret.ts'),
  ])
  return { ...contract, ...error, ...port, ...secret }
}

test('the copy is one', async () => {
  const copy = await secondCopy()
  expect(copy.SwitchyardError).not.toBe(contract.SwitchyardError)
  expect(copy.definePort).not.toBe(contract.definePort)
})

test('a port of one copy meets a need of the other', async () => {
  const copy = await secondCopy()
  const theirs = copy.definePort<{ dial(): string }>('acme/line', 1)
  const ours = contract.definePort<{ dial(): string }>('acme/line', 1)
  let dialled: unknown
  const kernel = await startKernel({
    plugins: [
      plugin('modem', { provides: { line: theirs }, setup: () => ({ ports: { line: { dial: () => 'tone' } } }) }),
      plugin('fax', {
        requires: { once: ours, perhaps: copy.optional(ours), all: contract.many(theirs) },
        setup: (ctx) => {
          const deps = ctx.deps as unknown as { once: { dial(): string }; perhaps: object; all: Map<string, object> }
          dialled = [deps.once.dial(), deps.perhaps === deps.once, deps.all.size]
          return { ports: {} }
        },
      }),
    ],
  })
  expect(dialled).toEqual(['tone', true, 1])
  expect(kernel.get(ours)).toBe(kernel.get(theirs))
})

test('an error of one copy is known by the other, through every border', async () => {
  const copy = await secondCopy()
  const theirs = new copy.SwitchyardError('RATE_LIMITED', 'slow down', { retryAfterMs: 5 })
  const kernel = await startKernel({
    plugins: [policy('admit', 'pass', (call, next) => next(call)), server({ 'fax.send': () => Promise.reject(theirs) })],
  })
  const error = await rejection(kernel.call('fax.send', to))
  expect(error).toBe(theirs)
  expect(error).not.toBeInstanceOf(contract.SwitchyardError)
  expect(contract.SwitchyardError.is(error, 'RATE_LIMITED')).toBe(true)
  expect(copy.SwitchyardError.is(new contract.SwitchyardError('CONFLICT', 'x'), 'CONFLICT')).toBe(true)
})

test('a secret of one copy is known by the other', async () => {
  const copy = await secondCopy()
  const theirs = copy.secret('s3cr3t')
  expect(contract.isSecret(theirs)).toBe(true)
  expect(contract.secret(theirs)).toBe(theirs)
})
