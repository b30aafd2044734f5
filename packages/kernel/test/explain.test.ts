import { SwitchyardError } from '@switchyard/contract'
import { expect, test, vi } from 'vitest'
import { startKernel } from '../src/index.ts'
import { policy, rejection, server, to } from './fixtures.ts'

const never = (): never => {
  throw new Error('not in a dry run')
}

test('tells what each policy would decide, on the call as the one outside would have changed it, and reaches no target', async () => {
  const kernel = await startKernel({
    plugins: [
      policy('resilience', 'retry', never, {
        explain: async (call) => ({ decisions: [{ decision: 'at most 3 tries', because: { target: call.target } }] }),
      }),
      policy('observe', 'telemetry', never),
      policy('route', 'router', never, {
        explain: async (call) => ({
          decisions: [{ decision: 'second' }, { decision: 'then first' }],
          call: { ...call, target: 'second' },
        }),
      }),
      server({ 'fax.send': never }, 'first'),
      server({ 'fax.send': never }, 'second'),
    ],
  })
  expect(await kernel.explain('fax.send', { ...to, target: 'first' })).toEqual({
    operation: 'fax.send',
    target: 'second',
    served: true,
    decisions: [
      { stage: 'observe', by: 'telemetry', decision: 'unknown', because: { reason: 'it has no dry run' } },
      { stage: 'route', by: 'router', decision: 'second' },
      { stage: 'route', by: 'router', decision: 'then first' },
      { stage: 'resilience', by: 'retry', decision: 'at most 3 tries', because: { target: 'second' } },
    ],
    problems: [],
  })
})

test('says at the end that the target does not serve the operation', async () => {
  const kernel = await startKernel({ plugins: [server({ 'fax.send': never })] })
  expect(await kernel.explain('fax.send', { ...to, target: 'tray' })).toMatchObject({
    target: 'tray',
    served: false,
    problems: [{ code: 'NOT_FOUND', plugin: 'tray', message: expect.stringContaining('known targets: fax') }],
  })
})

test('a refusal or a fault of one dry run does not hide the others', async () => {
  const kernel = await startKernel({
    plugins: [
      policy('admit', 'access', never, { explain: () => Promise.reject(new SwitchyardError('FORBIDDEN', 'not on Sundays')) }),
      policy('admit', 'limit', never, { explain: () => Promise.reject(new SwitchyardError('RATE_LIMITED', 'too many')) }),
      policy('cache', 'broken', never, { explain: never }),
      policy('route', 'router', never, { explain: async () => ({ decisions: [{ decision: 'first' }] }) }),
      server({ 'fax.send': never }),
    ],
  })
  const { problems, decisions } = await kernel.explain('fax.send', to)
  expect(problems).toEqual([
    { code: 'FORBIDDEN', plugin: 'access', message: 'not on Sundays', mend: 'Change the request, or what refuses it' },
    { code: 'RATE_LIMITED', plugin: 'limit', message: 'too many', mend: 'Send it again later' },
    {
      code: 'INTERNAL',
      plugin: 'broken',
      message: expect.stringContaining('not in a dry run'),
      mend: expect.stringContaining('author'),
    },
  ])
  expect(decisions).toEqual([{ stage: 'route', by: 'router', decision: 'first' }])
})

test('is no call to observers, and gives way to its caller', async () => {
  const controller = new AbortController()
  const kernel = await startKernel({
    plugins: [policy('admit', 'slow', never, { explain: () => new Promise(() => {}) }), server({ 'fax.send': never })],
  })
  const listener = vi.fn()
  kernel.on('call:ended', listener)
  const explained = rejection(kernel.explain('fax.send', { ...to, signal: controller.signal }))
  controller.abort()
  expect(await explained).toMatchObject({ code: 'ABORTED' })
  await rejection(kernel.explain('fax.send', { ...to, signal: AbortSignal.abort() }))
  expect(listener).not.toHaveBeenCalled()
})
