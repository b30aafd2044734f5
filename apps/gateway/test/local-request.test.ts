import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { authenticator } from '../src/principal.ts'
import { type TestGateway, testGateway } from './support/gateway.ts'
import { rawRequest } from './support/raw-request.ts'
import { stubProvider, wholeReply } from './support/stub-provider.ts'

const open = authenticator({ keys: [], local: true })
const HOST = { host: '127.0.0.1:8080' }

describe('without a key', () => {
  test.each([
    [{}, undefined],
    [HOST, '127.0.0.1'],
    [{ host: 'localhost:8080' }, '::1'],
    [{ host: 'LOCALHOST' }, '::ffff:127.0.0.1'],
    [{ host: 'api.localhost:8080' }, undefined],
    [{ host: '[::1]:8080' }, undefined],
    [{ ...HOST, 'sec-fetch-site': 'none' }, undefined],
    [{ ...HOST, 'sec-fetch-site': 'same-origin', origin: 'http://127.0.0.1:8080' }, undefined],
    [{ ...HOST, origin: 'http://127.0.0.1:8080' }, undefined],
  ])('%j from %s is of this machine', (headers, source) => {
    expect(open(headers, source)).toMatchObject({ class: 'local' })
  })

  test.each([
    [{ host: 'rebound.example:8080' }, /host "rebound\.example:8080"/],
    [{ host: '127.0.0.1.rebound.example' }, /host/],
    [{ host: 'localhost.rebound.example' }, /host/],
    [{ host: 'rebound.example', 'sec-fetch-site': 'same-origin', origin: 'http://rebound.example' }, /host/],
    [{ ...HOST, 'sec-fetch-site': 'cross-site' }, /page of another origin/],
    [{ ...HOST, 'sec-fetch-site': 'same-site', origin: 'http://127.0.0.1:3000' }, /page of another origin/],
    [{ ...HOST, origin: 'https://evil.example' }, /page "https:\/\/evil\.example"/],
    [{ ...HOST, origin: 'http://127.0.0.1:3000' }, /page/],
    [{ ...HOST, origin: 'null' }, /page "null"/],
    [{ ...HOST, 'x-forwarded-for': '203.0.113.7' }, /proxy \(x-forwarded-for\)/],
    [{ ...HOST, forwarded: 'for=203.0.113.7' }, /proxy/],
    [{ ...HOST, 'x-real-ip': '203.0.113.7' }, /proxy/],
  ])('%j is not', (headers, why) => {
    const refused = { code: 'FORBIDDEN', message: expect.stringMatching(why) }
    expect(() => open(headers)).toThrow(expect.objectContaining(refused))
  })

  test.each(['203.0.113.7', '::ffff:203.0.113.7', '10.0.0.1', 'fe80::1%eth0'])('nor is what came from %s', (source) => {
    expect(() => open(HOST, source)).toThrow(/came from/)
  })
})

describe('an open gateway', () => {
  let gateway: TestGateway
  let called: number
  beforeEach(async () => {
    called = 0
    const invoke = async () => {
      called += 1
      return wholeReply({ from: 'own' })
    }
    gateway = await testGateway([stubProvider({ name: 'own', invoke })])
  })
  afterEach(() => gateway.close())

  const BODY = '{"model":"own/x","messages":[]}'
  test.each([
    ['a form of a foreign page', 'POST', '/v1/chat/completions', 'origin: https://evil.example\r\ncontent-type: text/plain'],
    ['a foreign page, said by its browser', 'POST', '/v1/responses', 'sec-fetch-site: cross-site\r\ncontent-type: text/plain'],
    [
      'a foreign page at the admin API',
      'POST',
      '/admin/keys',
      'origin: https://evil.example\r\ncontent-type: application/json',
    ],
    ['a dry run', 'POST', '/v1/explain', 'sec-fetch-site: same-site'],
    ['an opinion', 'POST', '/v1/feedback', 'sec-fetch-site: cross-site\r\ncontent-type: application/json'],
    ['an image of a foreign page', 'GET', '/v1/models', 'sec-fetch-site: cross-site'],
    ['a look at the admin API', 'GET', '/admin/providers', 'sec-fetch-site: cross-site'],
  ])('%s gets nothing', async (_what, method, path, header) => {
    const { closed } = rawRequest(
      gateway.url,
      `${method} ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${header}\r\nconnection: close\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`,
    )
    const reply = await closed
    expect(reply).toMatch(/^HTTP\/1\.1 403 /)
    expect(reply).not.toMatch(/access-control/i)
    expect(called).toBe(0)
  })

  test('a name that was made to resolve to loopback reads nothing', async () => {
    const { closed } = rawRequest(gateway.url, 'GET /v1/models HTTP/1.1\r\nhost: rebound.example\r\nconnection: close\r\n\r\n')
    expect(await closed).toMatch(/^HTTP\/1\.1 403 [\s\S]*rebound\.example/)
  })
})
