import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { access } from '@switchyard/access'
import { postgres } from '@switchyard/connector-postgres'
import { sqlite } from '@switchyard/connector-sqlite'
import { access as accessPort, type Bus, bus, definePlugin, type Plugin, SwitchyardError, sql } from '@switchyard/contract'
import { startKernel } from '@switchyard/kernel'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { notRunLine, postgresForTests } from '../../../scripts/services/index.ts'
import { adminRoleOf } from '../src/admin/admin-role.ts'
import type { SettingsInput } from '../src/config/settings.ts'
import { type TemporaryFolder, temporaryFolder } from './support/folder.ts'
import { type TestGateway, testGateway } from './support/gateway.ts'
import { rawRequest } from './support/raw-request.ts'
import { stubProvider, wholeReply } from './support/stub-provider.ts'

const server = await postgresForTests()

let folder: TemporaryFolder
let open: TestGateway[]
let called: number
beforeEach(async () => {
  folder = await temporaryFolder()
  open = []
  called = 0
})
afterEach(async () => {
  for (const gateway of open) await gateway.close()
  await folder.remove()
})

/** One bus under several gateways, as Redis would be. */
function sharedBus(): () => Plugin {
  const listeners = new Set<{ readonly topic: string; readonly listener: (message: Uint8Array) => void }>()
  const shared: Bus = {
    capabilities: { shared: true },
    async publish(topic, message) {
      for (const one of listeners) if (one.topic === topic) queueMicrotask(() => one.listener(message))
    },
    async subscribe(topic, listener) {
      const one = { topic, listener }
      listeners.add(one)
      return async () => void listeners.delete(one)
    },
  }
  const options = z.strictObject({})
  return definePlugin({ name: 'wire', contract: 1, options, provides: { bus }, setup: () => ({ ports: { bus: shared } }) })
}

const model = (): Plugin =>
  stubProvider({
    name: 'own',
    async invoke() {
      called += 1
      return wholeReply({ from: 'own' })
    },
    models: async () => ['own/good', 'own/bad', 'other/x'].map((id) => ({ id, ownedBy: 'own' })),
  })
const file = (): Plugin => sqlite({ path: join(folder.path, 'keys.db') })

async function node(plugins: readonly Plugin[] = [file()], input: SettingsInput = {}): Promise<TestGateway> {
  const gateway = await testGateway([access(), ...plugins, model()], input)
  open.push(gateway)
  return gateway
}

interface Said {
  readonly status: number
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: the test says what it expects
  readonly body: any
}

const said: string[] = []
async function ask(at: TestGateway, method: string, path: string, key?: string, body?: object): Promise<Said> {
  const reply = await fetch(`${at.url}${path}`, {
    method,
    headers: { ...(key && { authorization: `Bearer ${key}` }), ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  })
  const text = await reply.text()
  if (path.startsWith('/admin/') && !text.includes('"key":')) said.push(text)
  return { status: reply.status, text, body: JSON.parse(text) }
}
const chat = (at: TestGateway, key?: string, name = 'own/x'): Promise<Said> =>
  ask(at, 'POST', '/v1/chat/completions', key, { model: name, messages: [] })

const REASON = { reason: 'a test' }
const VIRTUAL = { tenant: 'acme', models: 'any', endpoints: 'any', ...REASON }

async function create(
  at: TestGateway,
  by: string | undefined,
  body: object,
): Promise<{ readonly id: string; readonly key: string }> {
  const { status, text, body: made } = await ask(at, 'POST', '/admin/keys', by, body)
  expect([status, text]).toEqual([201, expect.stringContaining('"key":"sk-sy-')])
  return made
}
const admin = (at: TestGateway, by?: string, role = 'admin') =>
  create(at, by, { class: 'admin', tenant: 'ops', roles: [role], ...REASON })

describe.each(['sqlite', 'postgres'] as const)('two nodes on one %s', (kind) => {
  const schema = `access_${randomBytes(6).toString('hex')}`
  let database: () => Plugin
  beforeEach(async (context) => {
    database = file
    if (kind === 'sqlite') return
    if (server.status !== 'ready') return context.skip(notRunLine(server))
    const { url } = server
    database = () => postgres({ url, searchPath: [schema] })
    await using kernel = await startKernel({ plugins: [postgres({ url })] })
    await kernel.get(sql).query(`CREATE SCHEMA IF NOT EXISTS ${schema}`)
  })
  afterEach(async () => {
    for (const gateway of open.splice(0)) await gateway.close()
    if (kind === 'sqlite' || server.status !== 'ready') return
    await using kernel = await startKernel({ plugins: [postgres({ url: server.url })] })
    await kernel.get(sql).query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`)
  })

  test('a key made at one is taken at both, and revoked there is refused at both at once', async () => {
    const wire = sharedBus()
    const [one, other] = await Promise.all([node([database(), wire()]), node([database(), wire()])])
    expect((await chat(one)).status).toBe(200)
    const { key: root } = await admin(one)
    const { id, key } = await create(one, root, VIRTUAL)
    for (const at of [one, other, one, other]) expect((await chat(at, key)).status).toBe(200)
    for (const at of [one, other]) expect((await chat(at)).status).toBe(401)
    const before = called
    expect((await ask(one, 'POST', `/admin/keys/${id}/revoke`, root, REASON)).body.state).toBe('revoked')
    for (const at of [one, other]) expect((await chat(at, key)).status).toBe(401)
    expect(called).toBe(before)
    const listed = await ask(other, 'GET', '/admin/keys?state=revoked', root)
    expect(listed.body.data).toMatchObject([{ id, createdBy: expect.any(String), lastUsedAt: null }])
    const rotated = await ask(other, 'POST', `/admin/keys/${(await create(one, root, VIRTUAL)).id}/rotate`, root, {
      overlapMs: 60_000,
      ...REASON,
    })
    expect((await chat(one, rotated.body.key)).status).toBe(200)
  })
})

describe('the admin API of keys', () => {
  let gateway: TestGateway
  let root: string
  beforeEach(async () => {
    gateway = await node()
    root = (await admin(gateway)).key
  })

  test('asks for a key once there is one, and makes the first only for an admin', async () => {
    const fresh = await node([sqlite({ path: ':memory:' })])
    for (const body of [VIRTUAL, { class: 'admin', tenant: 'ops', roles: ['viewer'], ...REASON }]) {
      const { status, body: problem } = await ask(fresh, 'POST', '/admin/keys', undefined, body)
      expect([status, problem.detail]).toEqual([409, expect.stringContaining('create first {"class": "admin"')])
    }
    await admin(fresh)
    expect((await ask(fresh, 'GET', '/admin/keys')).status).toBe(401)
    expect((await chat(fresh)).status).toBe(401)
    expect((await ask(fresh, 'GET', '/v1/models')).status).toBe(401)
  })

  test('keeps the order of roles (A26)', async () => {
    const keys = {
      admin: root,
      operator: (await admin(gateway, root, 'operator')).key,
      viewer: (await admin(gateway, root, 'viewer')).key,
      virtual: (await create(gateway, root, { ...VIRTUAL, roles: ['trace'] })).key,
    }
    const target = await admin(gateway, root, 'viewer')
    const own = await create(gateway, root, VIRTUAL)
    const orders = [
      ['list', 'GET', '/admin/keys', undefined],
      ['show', 'GET', `/admin/keys/${target.id}`, undefined],
      ['create virtual', 'POST', '/admin/keys', VIRTUAL],
      ['change virtual', 'PATCH', `/admin/keys/${own.id}`, { name: 'x', ...REASON }],
      ['rotate virtual', 'POST', `/admin/keys/${own.id}/rotate`, REASON],
      ['create admin', 'POST', '/admin/keys', { class: 'admin', tenant: 'o', roles: ['viewer'], ...REASON }],
      ['change admin', 'PATCH', `/admin/keys/${target.id}`, { name: 'x', ...REASON }],
      ['rotate admin', 'POST', `/admin/keys/${target.id}/rotate`, REASON],
      ['revoke admin', 'POST', `/admin/keys/${target.id}/revoke`, REASON],
    ] as const
    const allowed: Record<string, string[]> = { admin: [], operator: [], viewer: [], virtual: [] }
    for (const [role, key] of Object.entries(keys).reverse())
      for (const [name, method, path, body] of orders) {
        const { status } = await ask(gateway, method, path, key, body)
        if (status < 300) allowed[role]?.push(name)
        else expect(status).toBe(403)
      }
    const names = orders.map(([name]) => name)
    expect(allowed).toEqual({ admin: names, operator: names.slice(0, 5), viewer: names.slice(0, 2), virtual: [] })
    expect((await chat(gateway, keys.virtual)).status).toBe(200)
    for (const role of ['admin', 'operator', 'viewer'] as const) expect((await chat(gateway, keys[role])).status).toBe(403)
    expect((await ask(gateway, 'GET', '/v1/models', root)).status).toBe(403)
  })

  test.each(['createdBy', 'state', 'digest', 'kid', 'id', 'revokedAt', 'key', '__proto__', 'constructor'])(
    'takes no field %s (A20)',
    async (field) => {
      const { id } = await create(gateway, root, VIRTUAL)
      const raw = (body: object): string => JSON.stringify(body).replace('"FIELD"', JSON.stringify(field))
      for (const [method, path] of [
        ['POST', '/admin/keys'],
        ['PATCH', `/admin/keys/${id}`],
        ['POST', `/admin/keys/${id}/rotate`],
        ['POST', `/admin/keys/${id}/revoke`],
      ] as const) {
        const reply = await fetch(`${gateway.url}${path}`, {
          method,
          headers: { authorization: `Bearer ${root}`, 'content-type': 'application/json' },
          body: raw({ ...(path === '/admin/keys' ? VIRTUAL : REASON), FIELD: 'admin' }),
        })
        expect([path, reply.status]).toEqual([path, 400])
      }
      expect((await ask(gateway, 'GET', `/admin/keys/${id}`, root)).body).toMatchObject({ state: 'active', class: 'virtual' })
    },
  )

  test('refuses what it does not understand, and has no other routes', async () => {
    const { id } = await create(gateway, root, VIRTUAL)
    for (const [method, path, body, status] of [
      ['POST', '/admin/keys', { ...VIRTUAL, reason: undefined }, 400],
      ['POST', '/admin/keys', { ...VIRTUAL, by: 7 }, 400],
      ['POST', '/admin/keys?x=1', VIRTUAL, 400],
      ['POST', `/admin/keys/${id}/rotate`, { overlapMs: '1h', ...REASON }, 400],
      ['GET', '/admin/keys?limit=0', undefined, 400],
      ['GET', '/admin/keys?cursor=', undefined, 400],
      ['GET', '/admin/keys?state=dead', undefined, 400],
      ['GET', "/admin/keys?tenant='%20OR%201=1--", undefined, 200],
      ['GET', '/admin/keys/nope', undefined, 404],
      ['GET', `/admin/keys/${id}/revoke`, undefined, 404],
      ['DELETE', `/admin/keys/${id}`, undefined, 404],
      ['POST', `/admin/keys/${id}`, REASON, 404],
    ] as const)
      expect([path, (await ask(gateway, method, path, root, body)).status]).toEqual([path, status])
    // A GET changes nothing, and a page of another origin cannot send JSON (A27).
    const form = await fetch(`${gateway.url}/admin/keys`, {
      method: 'POST',
      headers: { authorization: `Bearer ${root}` },
      body: '{}',
    })
    expect(form.status).toBe(400)
  })

  test('lists by pages', async () => {
    for (let at = 0; at < 4; at++) await create(gateway, root, { ...VIRTUAL, tenant: 'pages' })
    const seen: string[] = []
    let cursor = ''
    for (let page = 0; page < 2; page++) {
      const { body } = await ask(gateway, 'GET', `/admin/keys?tenant=pages&limit=2${cursor}`, root)
      seen.push(...body.data.map(({ id }: { readonly id: string }) => id))
      cursor = `&cursor=${body.nextCursor}`
      expect(body.nextCursor === null).toBe(page === 1)
    }
    expect(new Set(seen).size).toBe(4)
  })

  test('shows a key once, and never what it is checked by (A25)', async () => {
    const { id, key } = await create(gateway, root, VIRTUAL)
    const second = (await ask(gateway, 'POST', `/admin/keys/${id}/rotate`, root, { overlapMs: 9_999, ...REASON })).body.key
    for (const path of [`/admin/keys/${id}`, '/admin/keys', '/admin/providers', '/admin/keys/nope'])
      await ask(gateway, 'GET', path, root)
    await ask(gateway, 'PATCH', `/admin/keys/${id}`, root, { name: 'canary', ...REASON })
    await ask(gateway, 'POST', `/admin/keys/${id}/revoke`, root, REASON)
    await gateway.close()
    await using kernel = await startKernel({ plugins: [file()] })
    const { rows } = await kernel.get(sql).query<Record<string, string>>('SELECT * FROM switchyard_keys')
    const peppers = await kernel.get(sql).query<Record<string, string>>('SELECT * FROM switchyard_peppers')
    const secrets = [key, second, root].map((text) => text.split('-').at(-1) as string)
    const hidden = [
      ...secrets,
      ...rows.flatMap((row) => [row.digest, row.previous_digest]),
      ...peppers.rows.map((row) => row.pepper),
    ]
    const told = said.join('\n') + JSON.stringify(gateway.logged())
    expect(said.length).toBeGreaterThan(6)
    for (const text of hidden) if (text) expect(told).not.toContain(text)
    expect(JSON.stringify(rows)).not.toMatch(new RegExp(secrets.join('|')))
  })

  test('says who did it and why in the log, also where another name is given', async () => {
    const { id } = await create(gateway, root, { ...VIRTUAL, by: 'ann' })
    const { body } = await ask(gateway, 'GET', `/admin/keys/${id}`, root)
    expect(body.createdBy).toMatch(/^ann \([0-9A-Za-z]{12}\)$/)
    expect(gateway.logged()).toContainEqual(expect.objectContaining({ msg: 'key created', changed: id }))
  })

  test('a key is held to its models and endpoints, in the words of the client', async () => {
    const { key } = await create(gateway, root, { ...VIRTUAL, models: ['own/good'], endpoints: ['chat/completions'] })
    expect((await chat(gateway, key, 'own/good')).status).toBe(200)
    const { status, body } = await chat(gateway, key, 'own/bad')
    expect([status, body.error.message]).toEqual([403, expect.stringContaining('it may call own/good')])
  })

  test('a list of models holds what the key may call', async () => {
    const ids = async (key: string): Promise<readonly string[]> =>
      (await ask(gateway, 'GET', '/v1/models', key)).body.data.map(({ id }: { readonly id: string }) => id)
    for (const [models, seen] of [
      ['any', ['other/x', 'own/bad', 'own/good']],
      [['own/*'], ['own/bad', 'own/good']],
      [['own/good', 'own/none'], ['own/good']],
      [[], []],
    ] as const)
      expect(await ids((await create(gateway, root, { ...VIRTUAL, models })).key)).toEqual(seen)
  })

  test.each([
    ['/v1/chat/completions', false, { model: 'own/x', messages: [] }],
    ['/admin/keys', true, { class: 'admin', tenant: 'ops', roles: ['admin'], ...REASON }],
  ])('a request to %s that was held open does not outlive its key', async (path, isAdmin, body) => {
    const { id, key } = isAdmin ? await admin(gateway, root) : await create(gateway, root, VIRTUAL)
    await (isAdmin ? ask(gateway, 'GET', '/admin/keys', key) : chat(gateway, key))
    const before = called
    const text = JSON.stringify(body)
    const head = [
      `POST ${path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json`,
      `expect: 100-continue\r\nconnection: close\r\ncontent-length: ${text.length}\r\n\r\n`,
    ]
    const { socket, received, closed } = rawRequest(gateway.url, head.join('\r\n'))
    await expect.poll(received).toContain('100 Continue')
    await ask(gateway, 'POST', `/admin/keys/${id}/revoke`, root, REASON)
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 1_000 })
    try {
      socket.write(text)
      expect(await closed).toContain('HTTP/1.1 401 ')
    } finally {
      vi.useRealTimers()
    }
    expect(called).toBe(before)
  })

  test('nor does the refusal of a name that nobody serves tell of others', async () => {
    const said = async (models: unknown, name: string): Promise<string> => {
      const { key } = await create(gateway, root, { ...VIRTUAL, models })
      const { status, body } = await chat(gateway, key, name)
      expect(status).toBe(404)
      return body.error.message
    }
    expect(await said('any', 'none/x')).toContain('on now: own/*')
    expect(await said(['own/*'], 'none/x')).toContain('on now: own/*')
    expect(await said(['none/*'], 'none/x')).not.toContain('own')
  })

  test('what else names a model is refused where models are restricted', async () => {
    const { key } = await create(gateway, root, { ...VIRTUAL, models: ['own/*'] })
    const post = (headers: Record<string, string>, body: string): Promise<number> =>
      fetch(`${gateway.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
        body,
      }).then(({ status }) => status)
    const plain = '{"model":"own/x","messages":[]}'
    expect(await post({}, plain)).toBe(200)
    for (const header of ['x-portkey-config', 'x-portkey-virtual-key']) expect(await post({ [header]: 'x' }, plain)).toBe(403)
    for (const body of [
      '{"model":"own/x","models":["other/x"],"messages":[]}',
      '{"model":"own/x","Model":"other/x","messages":[]}',
      '{"model":"own/../other/x","messages":[]}',
    ])
      expect([body, await post({}, body)]).toEqual([body, 403])
    expect(called).toBe(1)
  })

  test('a name without end is refused, and goes into no log', async () => {
    const { key } = await create(gateway, root, VIRTUAL)
    const { status, body } = await chat(gateway, key, `own/${'x'.repeat(100_000)}`)
    expect([status, body.error.param]).toEqual([400, 'model'])
    expect(JSON.stringify(gateway.logged()).length).toBeLessThan(50_000)
  })

  test('a dry run tells what policies decide to those only who may see a trace', async () => {
    const dryRun = async (roles: readonly string[]): Promise<number> => {
      const { key } = await create(gateway, root, { ...VIRTUAL, roles })
      return (await ask(gateway, 'POST', '/v1/explain', key, { model: 'own/x', messages: [] })).status
    }
    expect([await dryRun([]), await dryRun(['trace'])]).toEqual([403, 200])
  })
})

test('a virtual key administers nothing, whatever roles its row holds', () => {
  const principal = { tenant: 'acme', keyId: 'k', roles: ['viewer', 'admin'] }
  expect(adminRoleOf({ class: 'virtual', principal, headers: {} })).toBeUndefined()
  for (const of of ['admin', 'jwt', 'configured'] as const)
    expect(adminRoleOf({ class: of, principal, headers: {} })).toBe('admin')
})

describe('a fault while a key is checked', () => {
  const broken = (authenticate: () => never | Promise<never>): Plugin =>
    definePlugin({
      name: 'broken',
      contract: 1,
      options: z.strictObject({}),
      provides: { access: accessPort },
      setup: () => ({ ports: { access: { configured: () => true, authenticate } } }),
    })()

  test.each([
    [
      'thrown',
      401,
      () => {
        throw new SwitchyardError('UNAUTHENTICATED', 'no')
      },
    ],
    ['rejected', 401, () => Promise.reject(new SwitchyardError('UNAUTHENTICATED', 'no'))],
    [
      'thrown as a bug',
      500,
      () => {
        throw new Error('bug')
      },
    ],
    ['rejected as a bug', 500, () => Promise.reject(new Error('bug'))],
  ])('that is %s gives %i, and no call (A18)', async (_, status, authenticate) => {
    const gateway = await testGateway([broken(authenticate as () => never), model()])
    open.push(gateway)
    for (const path of ['/v1/chat/completions', '/v1/messages', '/v1/explain', '/admin/keys'])
      expect((await ask(gateway, 'POST', path, 'sk-sy-x', { model: 'own/x', messages: [] })).status).toBe(status)
    expect(called).toBe(0)
  })
})

describe('an open host', () => {
  const host = { server: { host: '0.0.0.0' } }
  const LONG = 'sk-a-long-enough-key'

  test('without any key is refused, naming the mend', async () => {
    await expect(node([file()], host)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/no key yet: create one .*switchyard keys create --admin/),
    })
  })

  test('with a key that is kept is served, and nobody is let in without', async () => {
    await admin(await node())
    const gateway = await node([file()], host)
    expect(gateway.gateway.live().keyNeeded()).toBe(true)
    expect((await chat(gateway)).status).toBe(401)
  })

  test('that loses its last key by a reload lets nobody in', async () => {
    const gateway = await node([file()], { ...host, auth: { keys: [{ key: LONG, tenant: 'acme' }] } })
    expect((await chat(gateway, LONG)).status).toBe(200)
    const { settings } = gateway.gateway.live()
    await gateway.gateway.reload({
      settings: { ...settings, auth: { keys: [] } },
      assembly: { plugins: [access(), file(), model()] },
    })
    for (const key of [LONG, undefined]) expect((await chat(gateway, key)).status).toBe(401)
  })
})
