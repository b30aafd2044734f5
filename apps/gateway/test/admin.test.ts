import { SwitchyardError } from '@switchyard/contract'
import { health } from '@switchyard/health'
import { resilience } from '@switchyard/resilience'
import { routing } from '@switchyard/routing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { modelCatalog } from '../src/catalog/plugin.ts'
import { type TestGateway, testGateway } from './support/gateway.ts'
import { stubProvider, wholeReply } from './support/stub-provider.ts'

const ADMIN = 'sk-admin-canary'
const USER = 'sk-user-canary'
const keys = [
  { key: ADMIN, tenant: 'ops', id: 'ann', roles: ['admin'] },
  { key: USER, tenant: 'acme', id: 'bob' },
]

let gateway: TestGateway
let bare: TestGateway
beforeAll(async () => {
  const failing = stubProvider({
    name: 'failing',
    invoke: () => Promise.reject(new SwitchyardError('UPSTREAM_UNAVAILABLE', 'down')),
  })
  const plugins = [resilience({ retry: { maxAttempts: 1 } }), health(), modelCatalog(), stubProvider({ name: 'own' }), failing]
  gateway = await testGateway(plugins, { auth: { keys } })
  bare = await testGateway([stubProvider({ name: 'own', invoke: async () => wholeReply({}) })])
})
afterAll(async () => {
  await gateway?.close()
  await bare?.close()
})

interface Said {
  readonly status: number
  readonly type: string | null
  // biome-ignore lint/suspicious/noExplicitAny: the test says what it expects
  readonly body: any
}

async function admin(path: string, init: RequestInit = {}, { key = ADMIN, at = gateway } = {}): Promise<Said> {
  const headers = { authorization: `Bearer ${key}`, ...(init.headers as Record<string, string>) }
  const reply = await fetch(`${at.url}/admin/${path}`, { ...init, headers })
  return { status: reply.status, type: reply.headers.get('content-type'), body: await reply.json() }
}

function post(
  path: string,
  body: unknown,
  headers: Record<string, string> = { 'content-type': 'application/json' },
): Promise<Said> {
  return admin(path, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body), headers })
}

async function ask(model: string): Promise<number> {
  const init = { method: 'POST', headers: { authorization: `Bearer ${USER}` }, body: JSON.stringify({ model, messages: [] }) }
  return (await fetch(`${gateway.url}/v1/chat/completions`, init)).status
}

describe('who asks', () => {
  test.each(['providers', 'models', 'health', 'health/own/x'])(
    '%s is refused without a key, and to all but admins',
    async (path) => {
      expect(await admin(path, {}, { key: 'wrong' })).toMatchObject({
        status: 401,
        type: 'application/problem+json',
        body: { type: 'about:blank', title: 'Unauthorized', status: 401, code: 'UNAUTHENTICATED' },
      })
      expect(await admin(path, {}, { key: USER })).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } })
    },
  )

  test.each(['disable', 'enable'])('%s is refused to others, and changes nothing', async (verb) => {
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"reason":"mine"}' }
    expect((await admin(`health/own/own/x/${verb}`, init, { key: USER })).status).toBe(403)
    expect((await admin('health')).body.data.map(({ state }: { state: string }) => state)).not.toContain('disabled')
  })

  test('without keys everyone on this machine is an admin', async () => {
    expect((await admin('providers', {}, { at: bare })).status).toBe(200)
  })

  test.each([
    ['GET', 'nothing'],
    ['POST', 'models'],
    ['DELETE', 'health/own/x'],
    ['POST', 'health/own/x/destroy'],
  ])('%s /admin/%s is no route, and says so as a problem', async (method, path) => {
    expect(await admin(path, { method })).toMatchObject({ status: 404, type: 'application/problem+json' })
  })
})

describe('an assembly without the plugin', () => {
  test.each([
    ['models', /port catalog/],
    ['health', /port health; add @switchyard\/health/],
    ['health/own/x', /port health/],
  ])('that %s needs is 404 naming it', async (path, detail) => {
    expect(await admin(path, {}, { at: bare })).toMatchObject({ status: 404, body: { detail: expect.stringMatching(detail) } })
  })
})

describe('GET /admin/providers', () => {
  test('takes no filter', async () => {
    expect(await admin('providers?q=x')).toMatchObject({
      status: 400,
      body: { param: 'q', detail: 'q: there are no filters here' },
    })
  })

  test('tells what each can, whether it is well, and how its deployments do', async () => {
    await ask('own/a')
    await ask('own/b')
    const { body } = await admin('providers')
    expect(body.data).toEqual([
      expect.objectContaining({
        instance: 'own',
        plugin: 'own',
        capabilities: expect.objectContaining({ models: ['own/*'], endpoints: ['chat/completions'] }),
        health: { status: 'none' },
        deployments: { healthy: 2 },
      }),
      expect.objectContaining({ instance: 'failing', deployments: {} }),
    ])
  })
})

describe('GET /admin/models', () => {
  test.each([
    ['colour=red', 'colour', /none of capability, modality, /],
    ['capability=toolz', 'capability', /"toolz" is none of tools, /],
    ['modality=smell', 'modality', /none of text, image/],
    ['maxPrice=cheap', 'maxPrice', /USD per million/],
    ['maxPrice=-1', 'maxPrice', /USD per million/],
    ['maxPrice=', 'maxPrice', /USD per million/],
    ['minContext=big', 'minContext', /128k/],
    ['limit=0', 'limit', /1 to 1000/],
    ['limit=1001', 'limit', /1 to 1000/],
    ['limit=ten', 'limit', /1 to 1000/],
    ['cursor=%25', 'cursor', /none that this list gave/],
    ['cursor=', 'cursor', /none that this list gave/],
    ['provider=openai&provider=groq', 'provider', /twice/],
  ])('?%s is refused', async (query, param, detail) => {
    expect(await admin(`models?${query}`)).toMatchObject({
      status: 400,
      type: 'application/problem+json',
      body: { code: 'INVALID_REQUEST', param, detail: expect.stringMatching(detail) },
    })
  })

  test('filters by all that is asked', async () => {
    const query = 'capability=tools,vision&maxPrice=1&provider=openai,google&minContext=200k&limit=1000'
    const { body } = await admin(`models?${query}`)
    expect(body.data.length).toBeGreaterThan(0)
    expect(body.total).toBe(body.data.length)
    for (const row of body.data) {
      expect(row.capabilities).toEqual(expect.arrayContaining(['tools', 'vision']))
      expect(['openai', 'google']).toContain(row.provider)
      expect(Math.max(row.inputPrice, row.outputPrice)).toBeLessThanOrEqual(1)
      expect(row.contextTokens).toBeGreaterThanOrEqual(200_000)
    }
  })

  test('finds by text in id or name, and by what goes in and comes out', async () => {
    const { body } = await admin('models?q=GPT-5.4-MINI&provider=openai')
    expect(body.data.map(({ id }: { id: string }) => id)).toContain('openai/gpt-5.4-mini')
    const images = await admin('models?modality=text>image&limit=5')
    for (const { modalities } of images.body.data) expect(modalities.output).toContain('image')
    expect((await admin('models?q=no-such-model-anywhere')).body).toMatchObject({ total: 0, data: [], nextCursor: null })
  })

  test('leaves out what is deprecated, unless asked for', async () => {
    const without = (await admin('models?limit=1')).body.total
    expect((await admin('models?limit=1&deprecated=true')).body.total).toBeGreaterThan(without)
  })

  test('pages meet every model once, in order', async () => {
    const seen: string[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const page: Said = await admin(`models?provider=groq,openai,z-ai&limit=17${cursor && `&cursor=${cursor}`}`)
      seen.push(...page.body.data.map(({ id }: { id: string }) => id))
      cursor = page.body.nextCursor
    }
    const whole = await admin('models?provider=groq,openai,z-ai&limit=1000')
    expect(seen).toEqual(whole.body.data.map(({ id }: { id: string }) => id))
    expect(seen).toEqual([...new Set(seen)].sort())
    expect(seen.length).toBeGreaterThan(34)
  })
})

describe('GET /admin/health', () => {
  test('lists what was seen, and how the catalog is kept', async () => {
    await ask('own/a')
    const { body } = await admin('health')
    expect(body.data).toContainEqual(expect.objectContaining({ deployment: 'own/own/a', state: 'healthy', inFlight: 0 }))
    expect(body.catalog).toMatchObject({ updates: false, feeds: [], quarantined: [], version: expect.any(String) })
    expect((await admin('health?state=x')).status).toBe(400)
  })

  test.each(['own/own/never', 'own%2Fown%2Fnever'])('of %s, which nobody called, is 404', async (deployment) => {
    expect(await admin(`health/${deployment}`)).toMatchObject({
      status: 404,
      body: { detail: expect.stringContaining('"own/own/never"') },
    })
  })

  test('of a name that is not encoded is refused', async () => {
    expect(await admin('health/%zz')).toMatchObject({ status: 400, body: { code: 'INVALID_REQUEST' } })
  })

  test('of one tells its history, newest first', async () => {
    for (let call = 0; call < 6; call++) await ask('failing/x')
    const { body } = await admin('health/failing%2Ffailing%2Fx')
    expect(body).toMatchObject({ deployment: 'failing/failing/x', state: 'ejected', weight: 0 })
    expect(body.history).toMatchObject([{ from: 'healthy', to: 'ejected', reason: '5 failures in a row' }])
  })
})

describe('POST /admin/health/DEPLOYMENT', () => {
  test.each<[string, unknown, number, object]>([
    ['no JSON', 'x', 400, {}],
    ['a list', [], 400, {}],
    ['no reason', {}, 400, { param: 'reason' }],
    ['an empty reason', { reason: ' ' }, 400, { param: 'reason' }],
    ['a reason that is no text', { reason: 1 }, 400, { param: 'reason' }],
    ['a reason without end', { reason: 'x'.repeat(1_001) }, 400, { param: 'reason' }],
    ['nobody', { by: '', reason: 'x' }, 400, { param: 'by' }],
    ['an unknown member', { reason: 'x', until: 'noon' }, 400, { param: 'until' }],
    ['a body too large', { reason: 'x'.repeat(70_000) }, 413, {}],
  ])('with %s is refused', async (_, body, status, more) => {
    expect(await post('health/own/own/y/disable', body)).toMatchObject({ status, type: 'application/problem+json', body: more })
  })

  test('of another type than JSON is refused, as a page in a browser could send it', async () => {
    const reply = await post('health/own/own/y/disable', { reason: 'x' }, { 'content-type': 'text/plain' })
    expect(reply).toMatchObject({ status: 400, body: { detail: expect.stringContaining('application/json') } })
  })

  test('of no instance is 404, naming those that there are', async () => {
    const reply = await post('health/onw/own/y/disable', { reason: 'x' })
    expect(reply).toMatchObject({ status: 404, body: { detail: expect.stringContaining('there are: own, failing') } })
  })

  test('disables with who and why, and enables again', async () => {
    const disabled = await post('health/own/own/y/disable', { reason: 'invoice unpaid' })
    expect(disabled).toMatchObject({ status: 200, body: { deployment: 'own/own/y', state: 'disabled', weight: 0 } })
    const enabled = await post('health/own%2Fown%2Fy/enable', { by: 'carla', reason: 'paid' })
    expect(enabled).toMatchObject({ status: 200, body: { state: 'healthy', weight: 1 } })
    const { body } = await admin('health/own/own/y')
    expect(body.history).toMatchObject([
      { from: 'disabled', to: 'healthy', by: 'carla', reason: expect.stringContaining('paid') },
      { to: 'disabled', by: 'ann', reason: expect.stringContaining('invoice unpaid') },
    ])
    expect(gateway.logged()).toContainEqual(
      expect.objectContaining({ msg: 'deployment enabled', deployment: 'own/own/y', key: 'ann', by: 'carla' }),
    )
  })
})

test('a name of which every target is taken out is 503, and served again once one is back', async () => {
  const routes = { only: { targets: ['own/x'] } }
  const routed = await testGateway([routing({ routes }), health(), stubProvider({ name: 'own' })])
  const askOnly = (): Promise<Response> =>
    fetch(`${routed.url}/v1/chat/completions`, { method: 'POST', body: '{"model":"only"}' })
  const change = (verb: string): Promise<Said> => {
    const headers = { 'content-type': 'application/json' }
    return admin(`health/own/own/x/${verb}`, { method: 'POST', body: '{"reason":"x"}', headers }, { at: routed })
  }
  expect(await change('disable')).toMatchObject({ status: 200, body: { state: 'disabled' } })
  const reply = await askOnly()
  expect([reply.status, reply.headers.get('x-switchyard-attempts')]).toEqual([503, '0'])
  expect(reply.headers.get('x-switchyard-target')).toBeNull()
  expect(await reply.json()).toMatchObject({ error: { message: expect.stringContaining('taken out') } })
  await change('enable')
  expect((await askOnly()).status).toBe(200)
  await routed.close()
})

test('no key is ever logged', () => {
  expect(JSON.stringify(gateway.logged())).not.toContain('canary')
})
