import { getDefaultAutoSelectFamily, setDefaultAutoSelectFamily } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createEgress, type Egress, type Lookup, type ResolvedAddress } from '../src/index.ts'
import { loopbackEgress, type RawServer, rawServer, reply, textOf } from './support.ts'

let server: RawServer
beforeAll(async () => {
  server = await rawServer((socket) => socket.write(reply('inside')))
})
afterAll(() => server[Symbol.asyncDispose]())

const SPELLINGS = [
  '127.0.0.1',
  '2130706433',
  '0x7f000001',
  '0x7f.1',
  '017700000001',
  '0177.0.0.1',
  '127.1',
  '127.0.1',
  '127.0.0.1.',
  '127.255.255.254',
  '%31%32%37.0.0.1',
  '１２７.0.0.1',
  '127。0。0。1',
  '①②⑦.0.0.1',
  'localhost',
  'LOCALHOST',
  'localhost.',
  '0',
  '0.0.0.0',
  '[::]',
  '[::1]',
  '[0:0:0:0:0:0:0:1]',
  '[::127.0.0.1]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::ffff:0:127.0.0.1]',
  '[64:ff9b::7f00:1]',
  '[64:ff9b:1::7f00:1]',
  '[2002:7f00:1::]',
  '[2001:0:808:808::80ff:fffe]',
  '[fe80::1]',
  '[fec0::1]',
  '[fd00:ec2::254]',
  '10.0.0.1',
  '172.16.0.1',
  '192.168.0.1',
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
  '169.254.169.254',
  '0xa9fea9fe',
  '[::ffff:169.254.169.254]',
]

const answers =
  (...addresses: readonly string[]): Lookup =>
  async () =>
    addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }) satisfies ResolvedAddress)

async function failure(egress: Egress, url: string): Promise<unknown> {
  return egress.request(url).then(
    (reply) => ({ reached: reply.status }),
    (error: unknown) => error,
  )
}

const REFUSED = expect.objectContaining({
  code: 'POLICY_REFUSED',
  retryable: false,
  details: expect.objectContaining({ sent: false }),
})

describe('closed targets', () => {
  test.each(SPELLINGS)('%s is refused, and nothing connects', async (host) => {
    const egress = createEgress({ schemes: ['http:'] })
    const before = server.accepted
    expect(await failure(egress, `http://${host}:${server.port}/`)).toEqual(REFUSED)
    expect(server.accepted).toBe(before)
    expect(egress.stats()).toMatchObject({ origins: 0, open: 0, connecting: 0, busy: 0 })
    await egress.close()
  })

  test('metadata stays closed though everything is allowed', async () => {
    const egress = createEgress({ schemes: ['http:'], allow: ['0.0.0.0/0', '::/0'] })
    for (const host of [
      '169.254.169.254',
      '0xa9fea9fe',
      '100.100.100.200',
      '168.63.129.16',
      '192.0.0.192',
      '[fd00:ec2::254]',
    ]) {
      expect(await failure(egress, `http://${host}/latest/meta-data/`)).toEqual(REFUSED)
    }
    await egress.close()
  })

  test('the refusal names the option and the block that would open it', async () => {
    const egress = createEgress({ schemes: ['http:'] }, { plugin: 'models' })
    await expect(egress.request(server.url)).rejects.toMatchObject({
      plugin: 'models',
      message: expect.stringMatching(/127\.0\.0\.1.*loopback.*"127\.0\.0\.1\/32".*"allow"/),
    })
    await egress.close()
  })

  test('a block in allow opens it', async () => {
    for (const allow of ['127.0.0.1', '127.0.0.0/8', '0.0.0.0/0']) {
      await using egress = loopbackEgress({ allow: [allow] })
      const { status, body } = await egress.request(`${server.url}/`)
      expect([status, await textOf(body)]).toEqual([200, 'inside'])
    }
  })

  test('one egress does not use a socket that another was allowed to open', async () => {
    await using open = loopbackEgress()
    await textOf((await open.request(server.url)).body)
    expect(open.stats().open).toBe(1)
    await using shut = createEgressDisposable()
    expect(await failure(shut, server.url)).toEqual(REFUSED)
  })
})

function createEgressDisposable(): Egress & AsyncDisposable {
  return loopbackEgress({ allow: [] })
}

describe('names', () => {
  test('one closed answer among open ones refuses the name', async () => {
    for (const mixed of [
      ['93.184.216.34', '127.0.0.1'],
      ['127.0.0.1', '93.184.216.34'],
      ['2606:4700::1', '::1'],
      ['93.184.216.34', '169.254.169.254'],
    ]) {
      const egress = createEgress({ schemes: ['http:'], connectTimeoutMs: 500 }, { lookup: answers(...mixed) })
      expect(await failure(egress, `http://mixed.test:${server.port}/`)).toEqual(REFUSED)
      await egress.close()
    }
  })

  test('the socket goes to the address that was vetted: a resolver that turns after the check changes nothing', async () => {
    let asked = 0
    await using egress = loopbackEgress(
      {},
      { lookup: async () => (asked++ === 0 ? [{ address: '127.0.0.1', family: 4 }] : [{ address: '10.0.0.1', family: 4 }]) },
    )
    const { body } = await egress.request(`http://rebind.test:${server.port}/`)
    expect(await textOf(body)).toBe('inside')
    expect(asked).toBe(1)
  })

  test('a runtime that asks for one address gets a vetted one', async () => {
    const before = getDefaultAutoSelectFamily()
    setDefaultAutoSelectFamily(false)
    try {
      await using egress = loopbackEgress({}, { lookup: answers('127.0.0.1', '127.0.0.1') })
      expect(await textOf((await egress.request(`http://one.test:${server.port}/`)).body)).toBe('inside')
      await using shut = loopbackEgress({}, { lookup: answers('127.0.0.1', '10.0.0.1') })
      await expect(shut.request(`http://one.test:${server.port}/`)).rejects.toEqual(REFUSED)
    } finally {
      setDefaultAutoSelectFamily(before)
    }
  })

  test('a name that the system does not know', async () => {
    await using egress = loopbackEgress()
    expect(await failure(egress, 'http://nobody.invalid/')).toMatchObject({
      code: expect.stringMatching(/^(UPSTREAM_UNAVAILABLE|TIMEOUT)$/),
      details: { sent: false },
    })
  })

  test('a name that turns to a closed address is refused at its next connection', async () => {
    let address = '127.0.0.1'
    await using egress = loopbackEgress({ keepAliveTimeoutMs: 20 }, { lookup: async () => [{ address, family: 4 }] })
    const first = await egress.request(`http://rebind.test:${server.port}/`)
    first.body.destroy()
    address = '10.0.0.1'
    await server.drained()
    expect(await failure(egress, `http://rebind.test:${server.port}/`)).toEqual(REFUSED)
  })

  test('Host stays the name, without its trailing dot', async () => {
    await using egress = loopbackEgress({}, { lookup: answers('127.0.0.1') })
    const { body, url } = await egress.request(`http://API.Example.:${server.port}/v1?q=1#part`)
    await body.bytes()
    expect(server.requests.at(-1)).toContain(`GET /v1?q=1 HTTP/1.1\r\nhost: api.example:${server.port}\r\n`)
    expect(url).toBe(`http://api.example:${server.port}/v1?q=1`)
  })

  test('a resolver that answers with no address, with rubbish, or with an error', async () => {
    const unavailable = expect.objectContaining({
      code: 'UPSTREAM_UNAVAILABLE',
      retryable: true,
      details: expect.objectContaining({ sent: false }),
    })
    const broken = Object.assign(new Error('queryA ENOTFOUND'), { code: 'ENOTFOUND' })
    const cases: readonly [Lookup, unknown][] = [
      [answers(), unavailable],
      [() => Promise.reject(broken), unavailable],
      [answers('not an address'), REFUSED],
    ]
    for (const [lookup, expected] of cases) {
      const egress = createEgress({ schemes: ['http:'] }, { lookup })
      expect(await failure(egress, 'http://name.test/')).toEqual(expected)
      await egress.close()
    }
  })

  test('a resolver that never answers counts against connectTimeoutMs', async () => {
    await using egress = loopbackEgress({ connectTimeoutMs: 50 }, { lookup: () => new Promise(() => {}) })
    expect(await failure(egress, 'http://slow.test/')).toMatchObject({
      code: 'TIMEOUT',
      details: { phase: 'connect', sent: false },
    })
  })
})

describe('URLs', () => {
  test.each([
    ['not a url', 'INVALID_REQUEST'],
    ['/relative', 'INVALID_REQUEST'],
    ['http://', 'INVALID_REQUEST'],
    ['http://a..b/', 'POLICY_REFUSED'],
    ['http://a../', 'POLICY_REFUSED'],
    ['http://./', 'POLICY_REFUSED'],
    ['http://999.1.1.1/', 'INVALID_REQUEST'],
    ['ftp://example.com/', 'POLICY_REFUSED'],
    ['file:///etc/passwd', 'POLICY_REFUSED'],
    ['data:text/plain,x', 'POLICY_REFUSED'],
    ['https://example.com/', 'POLICY_REFUSED'],
    ['http://user@127.0.0.1/', 'POLICY_REFUSED'],
    ['http://:secret@127.0.0.1/', 'POLICY_REFUSED'],
    ['http://127.0.0.1:22/', 'POLICY_REFUSED'],
  ])('%s is %s', async (url, code) => {
    await using egress = loopbackEgress({ ports: [80, server.port] })
    const error = await failure(egress, url)
    expect(error).toMatchObject({ code, retryable: false, details: { sent: false } })
    expect(String(error)).not.toContain('secret')
  })

  test('https only is the default', async () => {
    const egress = createEgress({ allow: ['127.0.0.1'] })
    expect(await failure(egress, server.url)).toMatchObject({
      code: 'POLICY_REFUSED',
      message: expect.stringContaining('"schemes"'),
    })
    await egress.close()
  })

  test('a URL object is read at each request, so that changing it gets nothing past the checks', async () => {
    await using egress = loopbackEgress()
    const url = new URL(server.url)
    await textOf((await egress.request(url)).body)
    url.hostname = '127.0.0.2'
    await expect(egress.request(url)).rejects.toEqual(REFUSED)
  })

  test('CONNECT is refused', async () => {
    await using egress = loopbackEgress()
    await expect(egress.request(server.url, { method: 'connect' })).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
  })

  test('more distinct URLs than are kept', async () => {
    await using egress = loopbackEgress()
    for (let index = 0; index < 600; index++) await (await egress.request(`${server.url}/${index}`)).body.bytes()
    expect(egress.stats()).toMatchObject({ origins: 1, open: 1, requests: 600 })
  })
})
