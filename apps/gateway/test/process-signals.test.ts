import { type FakeUpstream, startFakeUpstream } from '@switchyard/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TemporaryFolder, temporaryFolder } from './support/folder.ts'
import { type CliProcess, spawnGateway } from './support/process.ts'

let folder: TemporaryFolder
let upstream: FakeUpstream
let gateway: CliProcess & { readonly url: string }

/** CommonJS, which Node keeps by path: what only a process without a test runner's loader shows. */
function write(provider: string): Promise<string> {
  const options = { provider, baseUrl: upstream.url, egress: { allow: ['127.0.0.0/8'] } }
  const plugins = [{ use: '@switchyard/provider-openai', options }]
  return folder.write('switchyard.config.js', `module.exports = ${JSON.stringify({ plugins })}`)
}

function ask(model: string): Promise<Response> {
  const body = JSON.stringify({ model, stream: true, messages: [] })
  return fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', body })
}

beforeAll(async () => {
  folder = await temporaryFolder()
  upstream = await startFakeUpstream()
  await write('old')
  gateway = await spawnGateway(['--no-watch'], { cwd: folder.path })
})
afterAll(async () => {
  gateway?.child.kill('SIGKILL')
  await upstream?.close()
  await folder?.remove()
})

test('SIGHUP reads a configuration of any kind again', async () => {
  await write('new')
  gateway.child.kill('SIGHUP')
  await expect
    .poll(async () => {
      const reply = await ask('new/gpt-fake')
      await reply.text()
      return reply.status
    })
    .toBe(200)
})

test('a second signal leaves at once with exit code 1, though a stream is in flight', async () => {
  upstream.clear()
  const stream = await ask('new/gpt-fake!endless:20')
  gateway.child.kill('SIGTERM')
  await expect
    .poll(() =>
      fetch(gateway.url).then(
        () => 'taken',
        () => 'refused',
      ),
    )
    .toBe('refused')
  expect(gateway.child.exitCode).toBe(null)
  gateway.child.kill('SIGINT')
  expect(await gateway.exited).toBe(1)
  await expect(stream.text()).rejects.toThrow()
  expect((await upstream.whenClosed(0)).closedBeforeEnd).toBe(true)
})
