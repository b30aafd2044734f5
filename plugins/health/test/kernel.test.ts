import { definePlugin, type HealthChange, health as healthToken, model, SwitchyardError } from '@switchyard/contract'
import { startKernel } from '@switchyard/kernel'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { health } from '../src/index.ts'

const seen: HealthChange[] = []

const listener = definePlugin({
  name: 'listener',
  contract: 1,
  options: z.strictObject({}),
  setup(ctx) {
    ctx.on('health:changed', (change) => seen.push(change))
    return { ports: {} }
  },
})

const failing = definePlugin({
  name: 'failing',
  contract: 1,
  options: z.strictObject({}),
  provides: { model },
  setup: () => ({
    ports: {
      model: {
        capabilities: { endpoints: ['chat/completions'], streaming: true, models: 'any', listing: false, cancels: true },
        invoke: () => Promise.reject(new SwitchyardError('UPSTREAM_UNAVAILABLE', 'down')),
        models: () => Promise.reject(new SwitchyardError('UNSUPPORTED', 'no list')),
        probe: async () => {},
      },
    },
    serves: {
      'model.invoke': () => Promise.reject(new SwitchyardError('UPSTREAM_UNAVAILABLE', 'down')),
      'sql.query': async () => ({ rows: [], rowCount: 0 }),
    },
  }),
})

test('in an assembly it sees the calls of every operation, and its changes reach listeners', async () => {
  await using kernel = await startKernel({ plugins: [listener(), health(), failing(), failing({}, { as: 'spare' })] })
  const principal = { tenant: 't', keyId: 'k', roles: [] }
  const request = { endpoint: 'chat/completions', model: 'acme/a', body: {}, stream: false } as const
  for (const target of ['spare', 'failing', 'failing', 'failing', 'failing', 'failing']) {
    await kernel.call('model.invoke', { target, request, principal }).catch(() => {})
  }
  await kernel.call('sql.query', { target: 'spare', request: { sql: 'select 1', params: [] }, principal })
  const known = kernel.get(healthToken)
  expect(known.of('failing').state).toBe('ejected')
  expect(known.of('spare')).toMatchObject({ state: 'healthy', successRate: 0.5 })
  expect(seen).toMatchObject([{ deployment: 'failing', from: 'healthy', to: 'ejected' }])
})
