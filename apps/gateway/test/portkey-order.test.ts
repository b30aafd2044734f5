import { openai } from '@switchyard/provider-openai'
import { resilience } from '@switchyard/resilience'
import { portkeyConfig, type RouteInput, routing } from '@switchyard/routing'
import { type FakeUpstream, recordingLogger, startFakeUpstream } from '@switchyard/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type PortkeyChild, startPortkey } from '../src/portkey-child/start.ts'
import { testGateway } from './support/gateway.ts'

let upstream: FakeUpstream
let portkey: PortkeyChild
beforeAll(async () => {
  upstream = await startFakeUpstream()
  portkey = await startPortkey({ log: recordingLogger() })
})
afterEach(() => upstream.clear())
afterAll(async () => {
  await portkey?.close()
  await upstream?.close()
})

interface Asked {
  readonly status: number
  /** Models in the order in which the upstream was asked for them. */
  readonly order: readonly string[]
}

type Metadata = Readonly<Record<string, string>>

/** The upstream misbehaves by the model's name: `one!status:500` fails. */
function modelsAsked(): readonly string[] {
  return upstream.requests.map(({ body }) => String((body as { model?: unknown }).model))
}

function bodyFor(metadata: Metadata): string {
  return JSON.stringify({ model: 'route', messages: [{ role: 'user', content: 'Hello' }], metadata })
}

async function throughSwitchyard(route: RouteInput, metadata: Metadata): Promise<Asked> {
  const gateway = await testGateway([
    routing({ routes: { route }, checkCapabilities: false }),
    resilience({ attempts: { maxAttempts: 8 }, retry: { maxAttempts: 1 }, breaker: { enabled: false } }),
    openai({ provider: 'fake', baseUrl: upstream.url, egress: { allow: ['127.0.0.0/8'] } }),
  ])
  try {
    const reply = await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', body: bodyFor(metadata) })
    await reply.text()
    return { status: reply.status, order: modelsAsked() }
  } finally {
    await gateway.close()
    upstream.clear()
  }
}

async function throughPortkey(route: RouteInput, metadata: Metadata): Promise<Asked> {
  const credentials = () => ({ provider: 'openai', api_key: 'any', custom_host: upstream.url })
  const reply = await fetch(`${portkey.baseUrl}/chat/completions`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-portkey-config': JSON.stringify(portkeyConfig(route, { credentials })),
      'x-portkey-metadata': JSON.stringify(metadata),
    },
    body: bodyFor(metadata),
  })
  await reply.text()
  const order = modelsAsked()
  upstream.clear()
  return { status: reply.status, order }
}

const FAILS = 'fake/one!status:500'
const LIMITED = 'fake/two!status:429'
const GONE = 'fake/three!reset:headers'
const SERVES = 'fake/four'
const SPARE = 'fake/five'
const gold = { metadata: { tier: 'gold' } }
const eu = { metadata: { region: ['eu', 'ch'] } }

const conditional: RouteInput = {
  targets: [{ model: FAILS, when: gold }, { model: LIMITED, when: eu }, SERVES, SPARE],
}

describe('a routing table and its Portkey config try the same targets in the same order', () => {
  test.each<[string, RouteInput, Metadata, readonly string[], boolean]>([
    ['priority, the first serves', { targets: [SERVES, SPARE] }, {}, [SERVES], true],
    ['priority, two fail', { targets: [FAILS, LIMITED, SERVES, SPARE] }, {}, [FAILS, LIMITED, SERVES], true],
    ['priority, all fail', { targets: [FAILS, LIMITED, FAILS] }, {}, [FAILS, LIMITED, FAILS], false],
    ['priority, one hangs up', { targets: [GONE, SERVES] }, {}, [GONE, SERVES], true],
    ['conditional, none holds', conditional, { tier: 'free' }, [SERVES], true],
    ['conditional, one holds', conditional, { tier: 'gold' }, [FAILS, SERVES], true],
    ['conditional, the other holds, by one of its values', conditional, { region: 'ch' }, [LIMITED, SERVES], true],
    ['conditional, both hold', conditional, { tier: 'gold', region: 'eu' }, [FAILS, LIMITED, SERVES], true],
    ['a canary of 100 %', { targets: [SERVES, { model: FAILS, canaryPercent: 100 }] }, {}, [FAILS, SERVES], true],
    ['a canary of 0 %', { targets: [SERVES, { model: FAILS, canaryPercent: 0 }] }, {}, [SERVES], true],
    [
      'a canary of 0 % is the last resort',
      { targets: [FAILS, { model: SERVES, canaryPercent: 0 }] },
      {},
      [FAILS, SERVES],
      true,
    ],
  ])('%s', async (_, route, metadata, order, served) => {
    const expected = order.map((model) => model.slice('fake/'.length))
    const here = await throughSwitchyard(route, metadata)
    const there = await throughPortkey(route, metadata)
    expect(here.order).toEqual(expected)
    expect(there.order).toEqual(expected)
    expect([here.status === 200, there.status === 200]).toEqual([served, served])
  })
})
