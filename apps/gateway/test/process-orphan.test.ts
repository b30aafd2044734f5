import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TemporaryFolder, temporaryFolder } from './support/folder.ts'
import { type CliProcess, spawnGateway } from './support/process.ts'

let folder: TemporaryFolder
let gateway: CliProcess & { readonly url: string }
beforeAll(async () => {
  folder = await temporaryFolder()
  gateway = await spawnGateway(['--log-level', 'debug'], { cwd: folder.path, env: { OPENAI_API_KEY: 'sk-canary' } })
})
afterAll(async () => {
  gateway?.child.kill('SIGKILL')
  for (const pid of portkeys()) if (alive(pid)) process.kill(pid, 'SIGKILL')
  await folder?.remove()
})

/** Process ids of the embedded Portkey, the latest last. */
function portkeys(): readonly number[] {
  const lines = gateway.err().split('\n')
  return lines.filter((line) => line.includes('portkey started')).map((line) => (JSON.parse(line) as { pid: number }).pid)
}

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** The whole way each time: an answer from the cache would say nothing of Portkey. */
async function chat(): Promise<number> {
  const headers = { 'cache-control': 'no-store' }
  const body = JSON.stringify({ model: 'demo/chat', messages: [{ role: 'user', content: 'Hello' }] })
  return (await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', headers, body })).status
}

test('what the banner prints works as it stands, and shows no key', async () => {
  const line = /curl (\S+) -H '([^']+)' \\\n +-d '([^']+)'/.exec(gateway.out())
  const [, url = '', header = '', body = ''] = line ?? []
  const reply = await fetch(url, { method: 'POST', headers: [header.split(': ') as [string, string]], body })
  expect(await reply.json()).toMatchObject({ choices: [{ message: { content: expect.stringMatching(/Hello$/) } }] })
  expect(gateway.out()).toContain('openai (OPENAI_API_KEY)')
  expect(gateway.out() + gateway.err()).not.toContain('canary')
})

test('the embedded Portkey is started again when it was killed, and requests are answered again', async () => {
  process.kill(portkeys()[0] as number, 'SIGKILL')
  await expect.poll(portkeys).toHaveLength(2)
  await expect.poll(chat, { timeout: 15_000 }).toBe(200)
})

test('it leaves when the gateway is killed, which can no longer stop it', async () => {
  const pid = portkeys()[1] as number
  expect(alive(pid)).toBe(true)
  gateway.child.kill('SIGKILL')
  expect(await gateway.exited).toBe('SIGKILL')
  await expect.poll(() => alive(pid), { timeout: 5_000 }).toBe(false)
})
