import { type FakeUpstream, startFakeUpstream } from '@switchyard/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TemporaryFolder, temporaryFolder } from './support/folder.ts'
import { type CliProcess, spawnGateway } from './support/process.ts'

const KEY = 'sk-client-canary'
const UPSTREAM_KEY = 'sk-upstream-canary'

/** One real process through its life: a file that changes, SIGHUP, SIGTERM. The tests are its days, in order. */
let folder: TemporaryFolder
let upstream: FakeUpstream
let gateway: CliProcess & { readonly url: string }

const config = (provider: string): string => `
server: { drainDelayMs: 1000 }
auth: { keys: [{ key: "$\{CLIENT_KEY}", tenant: acme, id: one }] }
plugins:
  - use: '@switchyard/provider-openai'
    options: { provider: ${provider}, baseUrl: '${upstream.url}', apiKey: "$\{UPSTREAM_KEY}", egress: { allow: [127.0.0.0/8] } }
`
const write = (text: string): Promise<string> => folder.write('switchyard.config.yaml', text)
const ask = (model: string, stream = false): Promise<Response> =>
  fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}` },
    body: JSON.stringify({ model, stream, messages: [{ role: 'user', content: 'the-prompt-canary' }] }),
  })
const status = async (model: string): Promise<number> => (await ask(model)).status
const readiness = async (): Promise<number> => (await fetch(`${gateway.url}/readyz`)).status

beforeAll(async () => {
  folder = await temporaryFolder()
  upstream = await startFakeUpstream()
  await write(config('one'))
  const env = { CLIENT_KEY: KEY, UPSTREAM_KEY }
  gateway = await spawnGateway(['--log-level', 'debug'], { cwd: folder.path, env })
})
afterAll(async () => {
  gateway?.child.kill('SIGKILL')
  await upstream?.close()
  await folder?.remove()
})

test('it answers, and a change of the file moves requests over without a failure', async () => {
  expect(await status('one/gpt-fake')).toBe(200)
  expect(await status('one/gpt-fake!status:401,body:echo')).toBe(502)
  const answers: number[] = []
  await write(config('two'))
  await expect
    .poll(async () => {
      answers.push(await readiness())
      return status('two/gpt-fake')
    })
    .toBe(200)
  expect(new Set(answers)).toEqual(new Set([200]))
})

test('a broken file changes nothing, and says so', async () => {
  await write('server: [')
  await expect.poll(gateway.err).toContain('configuration not reloaded, the running one stays')
  expect(await status('two/gpt-fake')).toBe(200)
})

test('SIGHUP reads it again', async () => {
  const before = gateway.err().length
  gateway.child.kill('SIGHUP')
  await expect.poll(() => gateway.err().slice(before)).toContain('configuration not reloaded')
  await write(config('three'))
  gateway.child.kill('SIGHUP')
  await expect.poll(() => status('three/gpt-fake')).toBe(200)
})

test('SIGTERM: readiness off, what is in flight is finished, exit code 0', async () => {
  const stream = await ask('three/gpt-fake!delay:tokens:150', true)
  gateway.child.kill('SIGTERM')
  await expect.poll(readiness).toBe(503)
  expect(await status('three/gpt-fake')).toBe(200)
  expect(await stream.text()).toMatch(/data: \[DONE\]\n\n$/)
  expect(await gateway.exited).toBe(0)
  await expect(readiness()).rejects.toThrow()
})

test('its whole output held no secret and no prompt, and every line was whole', async () => {
  const lines = gateway.err().trim().split('\n')
  expect(lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'request').length).toBeGreaterThan(5)
  expect(gateway.out() + gateway.err()).not.toContain('canary')
})
