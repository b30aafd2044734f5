import { join } from 'node:path'
import { sqlite } from '@switchyard/connector-sqlite'
import { secret } from '@switchyard/contract'
import { feedback, routing } from '@switchyard/routing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type TemporaryFolder, temporaryFolder } from './support/folder.ts'
import { type TestGateway, testGateway } from './support/gateway.ts'
import { stubProvider } from './support/stub-provider.ts'

let folder: TemporaryFolder
let node: TestGateway
const keys = [
  { key: secret('key-of-acme'), tenant: 'acme', id: 'a' },
  { key: secret('key-of-other'), tenant: 'other', id: 'o' },
]
const routes = { cheap: { targets: ['own/a', 'own/b'], baseline: 'own/b' } }

beforeEach(async () => {
  folder = await temporaryFolder()
  node = await testGateway([routing({ routes }), sqlite({ path: join(folder.path, 'f.db') }), stubProvider({ name: 'own' })], {
    auth: { keys: keys.map(({ key, ...rest }) => ({ ...rest, key: key.reveal() })) },
  })
})
afterEach(async () => {
  await node.close()
  await folder.remove()
})

async function post(path: string, body: unknown, key = 'key-of-acme', headers: Record<string, string> = {}): Promise<Response> {
  return await fetch(`${node.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}`, ...headers },
    body: JSON.stringify(body),
  })
}
const rows = async (tenant: string) => {
  const [store] = node.gateway.kernel.all(feedback).values()
  return (await store?.rows({ tenant })) ?? []
}
const ask = async (): Promise<string> => {
  const reply = await post('/v1/chat/completions', { model: 'cheap', messages: [{ role: 'user', content: 'hi' }] })
  expect(reply.status).toBe(200)
  await reply.text()
  return reply.headers.get('x-request-id') as string
}

describe('POST /v1/feedback', () => {
  test.each([
    [{}, 'request_id'],
    [{ request_id: 7, score: 1 }, 'request_id'],
    [{ request_id: 'r' }, 'score'],
    [{ request_id: 'r', score: 1, correct: true }, 'score'],
    [{ request_id: 'r', score: 1.01 }, 'score'],
    [{ request_id: 'r', score: '1' }, 'score'],
    [{ request_id: 'r', correct: 1 }, 'correct'],
    [{ request_id: 'r', score: 1, comment: 5 }, 'comment'],
    [{ request_id: 'r', score: 1, tenant: 'other' }, 'tenant'],
  ])('%j is refused, naming %s', async (body, param) => {
    const reply = await post('/v1/feedback', body)
    expect(reply.status).toBe(400)
    expect(await reply.json()).toMatchObject({ error: { param } })
    expect(await rows('acme')).toEqual([])
  })

  test('without a right key is 401', async () => {
    expect((await post('/v1/feedback', { request_id: 'r', score: 1 }, 'wrong')).status).toBe(401)
  })

  test('of another tenant’s request is taken as of none that is known, and changes nothing there', async () => {
    const id = await ask()
    expect((await post('/v1/feedback', { request_id: id, score: 0 }, 'key-of-other')).status).toBe(200)
    expect(await rows('other')).toMatchObject([{ requestId: id, route: null, model: null }])
    expect(await rows('acme')).toEqual([])
  })

  test('is kept with what is known of the call, and the last word counts', async () => {
    const id = await ask()
    expect((await post('/v1/feedback', { request_id: id, correct: true, comment: 'good' })).status).toBe(200)
    expect(await (await post('/v1/feedback', { request_id: id, score: 0.25 })).json()).toEqual({
      object: 'feedback',
      request_id: id,
      score: 0.25,
    })
    expect(await rows('acme')).toMatchObject([
      { requestId: id, keyId: 'a', score: 0.25, comment: null, route: 'cheap', model: 'own/a', taskClass: 'chat' },
    ])
  })

  test('of a request that nobody here remembers is kept under the tenant that says it', async () => {
    await post('/v1/feedback', { request_id: 'req_old', score: 1 })
    await post('/v1/feedback', { request_id: 'req_old', score: 0 }, 'key-of-other')
    expect(await rows('acme')).toMatchObject([{ requestId: 'req_old', score: 1, route: null }])
    expect(await rows('other')).toMatchObject([{ requestId: 'req_old', score: 0 }])
  })
})

test('without a database it says so', async () => {
  const bare = await testGateway([routing(), stubProvider({ name: 'own' })])
  try {
    const reply = await fetch(`${bare.url}/v1/feedback`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ request_id: 'r', score: 1 }),
    })
    expect(await reply.json()).toMatchObject({ error: { message: expect.stringContaining('sql@1') } })
    expect(reply.ok).toBe(false)
  } finally {
    await bare.close()
  }
})
