import assert from 'node:assert/strict'
import { MODEL_ENDPOINTS, type ModelEndpoint } from '@switchyard/contract'
import { rejectsWith } from '../../conformance/rejects-with.ts'
import { AT_ONCE_MS, refuses, unsupported, within } from './asking.ts'
import type { ModelCase } from './model-fixture.ts'

/** What hangs on declarations, the listing of models, and the probe. */
export const declaredCases: readonly ModelCase[] = [
  {
    id: 'model.invoke.refuses-undeclared-endpoints',
    promise: 'An endpoint that is not declared rejects UNSUPPORTED before a byte leaves.',
    async check(opened) {
      const { endpoints } = opened.instance.capabilities
      const unknown = ['tomorrow', 'constructor'] as unknown as readonly ModelEndpoint[]
      for (const endpoint of [...MODEL_ENDPOINTS, ...unknown].filter((name) => !endpoints.includes(name))) {
        await unsupported(opened, { endpoint, body: { input: 'x', prompt: 'x' } })
      }
    },
  },
  {
    id: 'model.invoke.refuses-undeclared-models',
    promise: 'A model outside those that are declared rejects NOT_FOUND before a byte leaves.',
    declared: ({ capabilities }) => capabilities.models !== 'any' && capabilities.endpoints.includes('chat/completions'),
    async check(opened) {
      await refuses(opened, 'NOT_FOUND', 'a model that is not declared', { model: 'nobody-has/this-model' })
      assert.equal(opened.fixture.upstream.requests.length, 0, 'a model that is not declared must not reach the upstream')
    },
    async undeclared(opened) {
      if (!opened.instance.capabilities.endpoints.includes('chat/completions')) return
      opened.fixture.upstream.always('status:404')
      await refuses(opened, ['NOT_FOUND', 'UPSTREAM_REJECTED'], 'a model that the upstream does not know')
    },
  },
  {
    id: 'model.models.lists',
    promise: 'Models that can be named now are listed, each once, as `provider/model`.',
    declared: ({ capabilities }) => capabilities.listing,
    async check(opened) {
      const cards = await opened.instance.models()
      const ids = cards.map(({ id }) => id)
      assert.equal(new Set(ids).size, ids.length, 'a model is listed once')
      assert.ok(
        ids.some((id) => id === opened.fixture.model || id.endsWith(`/${opened.fixture.upstreamModel}`)),
        `${opened.fixture.model} must be listed; there is ${ids.join(', ')}`,
      )
      for (const { id, ownedBy, createdAt } of cards) {
        assert.match(id, /^[^/]+\/.+/, 'an id is `provider/model`')
        assert.equal(typeof ownedBy, 'string')
        assert.ok(createdAt === undefined || (Number.isInteger(createdAt) && createdAt < 1e11), 'createdAt is epoch seconds')
      }
    },
    undeclared: async (opened) => {
      await rejectsWith(() => opened.instance.models(), 'UNSUPPORTED', 'a listing that is not declared')
    },
  },
  {
    id: 'model.models.rejects-failures',
    promise: 'A listing that the upstream fails to give rejects, as a call does.',
    declared: ({ capabilities }) => capabilities.listing,
    async check(opened) {
      for (const [fault, code] of [
        ['status:503', 'UPSTREAM_UNAVAILABLE'],
        ['reset:headers', 'UPSTREAM_UNAVAILABLE'],
        ['html', 'UPSTREAM_INVALID'],
        ['status:401', 'UPSTREAM_REJECTED'],
      ] as const) {
        opened.fixture.upstream.always(fault)
        await rejectsWith(() => opened.instance.models(), code, `a listing answered by ${fault}`)
      }
    },
    undeclared: async (opened) => {
      await rejectsWith(() => opened.instance.models(), 'UNSUPPORTED', 'a listing that is not declared')
    },
  },
  {
    id: 'model.probe.resolves',
    promise: 'A probe of a target that lives resolves.',
    async check(opened) {
      await within(5000, 'the probe', opened.instance.probe({ model: opened.fixture.model }))
      assert.ok(opened.fixture.upstream.requests.length > 0, 'a probe proves the target alive, so it must reach it')
    },
  },
  {
    id: 'model.probe.rejects',
    promise: 'A probe of a target that fails rejects, as a call does.',
    async check(opened) {
      const { upstream, model } = opened.fixture
      for (const fault of ['status:503', 'reset:headers']) {
        upstream.always(fault)
        await rejectsWith(() => opened.instance.probe({ model }), 'UPSTREAM_UNAVAILABLE', `a probe answered by ${fault}`)
      }
      upstream.always('status:401')
      await rejectsWith(() => opened.instance.probe({ model }), 'UPSTREAM_REJECTED', 'a probe whose key is refused')
    },
  },
  {
    id: 'model.probe.aborts',
    promise: 'An abort ends a probe at once with ABORTED.',
    async check(opened) {
      opened.fixture.upstream.always('stall:headers')
      const leave = new AbortController()
      const probe = opened.instance.probe({ model: opened.fixture.model }, { signal: leave.signal })
      setTimeout(() => leave.abort(), 50)
      await within(
        AT_ONCE_MS + 50,
        'an aborted probe',
        rejectsWith(() => probe, 'ABORTED', 'an aborted probe'),
      )
    },
  },
]
