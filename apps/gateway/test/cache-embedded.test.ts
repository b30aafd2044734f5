import { readFile } from 'node:fs/promises'
import { responseCache } from '@switchyard/cache'
import type { Plugin } from '@switchyard/contract'
import { checkAssembly } from '@switchyard/kernel'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { planEmbedded, withOwn } from '../src/config/embedded.ts'
import { cacheOf } from './support/cached.ts'
import { cli } from './support/cli.ts'
import { type TemporaryFolder, temporaryFolder } from './support/folder.ts'
import { type TestGateway, testGateway } from './support/gateway.ts'
import { stubProvider, wholeReply } from './support/stub-provider.ts'

let folder: TemporaryFolder
let node: TestGateway | undefined
let asked = 0
beforeEach(async () => {
  folder = await temporaryFolder()
  asked = 0
})
afterEach(async () => {
  await node?.close()
  node = undefined
  await folder.remove()
})

/** The embedded default without its processes, over a provider that counts. */
async function start(own: readonly Plugin[] = []): Promise<void> {
  const provider = stubProvider({
    name: 'own',
    invoke: async () => {
      asked += 1
      const message = { role: 'assistant', content: `answer ${asked}` }
      const whole = wholeReply({
        id: 'chatcmpl-1',
        object: 'chat.completion',
        created: 1,
        model: 'x',
        choices: [{ index: 0, message, finish_reason: 'stop' }],
        usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
      })
      return { ...whole, ended: whole.ended.then((ending) => ({ ...ending, finishReason: 'stop' })) }
    },
  })
  const { plugins } = planEmbedded({ portkey: false, demo: false, dataDir: folder.path, env: {} })
  node = await testGateway([...withOwn(plugins, own), provider])
}

async function ask(headers: Record<string, string> = {}, more: object = {}): Promise<string> {
  const reply = await fetch(`${node?.url}/v1/chat/completions`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ model: 'own/x', messages: [{ role: 'user', content: 'What is a switchyard?' }], ...more }),
  })
  await reply.text()
  return cacheOf(reply.headers)
}

test('the embedded default answers what was asked before, and fetches anew where a client says so', async () => {
  await start()
  expect([await ask(), await ask(), await ask({ 'cache-control': 'no-store' }), await ask({}, { temperature: 1 })]).toEqual([
    'miss',
    'hit l1',
    'bypass no-store',
    'bypass sampling',
  ])
  expect(asked).toBe(3)
  const report = await (await fetch(`${node?.url}/admin/cache`)).json()
  expect(report).toMatchObject({ operations: { 'model.invoke': { requests: 4, hits: 1 } }, money: { hits: 1 } })
})

test('a cache that the configuration lists takes the place of the embedded one', async () => {
  await start([responseCache({ models: { off: true } }) as Plugin])
  expect([await ask(), await ask()]).toEqual(['bypass off', 'bypass off'])
})

test('one beside it, under another name, is one more; places stay', async () => {
  const { plugins } = planEmbedded({ portkey: false, demo: false, dataDir: folder.path, env: {} })
  const names = (all: readonly Plugin[]): readonly string[] => all.map(({ definition }) => definition.name)
  const replaced = withOwn(plugins, [responseCache({ headers: false }) as Plugin])
  expect(names(replaced)).toEqual(names(plugins))
  expect(replaced.find(({ definition }) => definition.name === '@switchyard/cache')?.input).toEqual({ headers: false })
  expect(await checkAssembly({ plugins: replaced })).toEqual([])
  expect(withOwn(plugins, [responseCache({}, { as: 'second' }) as Plugin])).toHaveLength(plugins.length + 1)
})

test('explain says what the cache would do, and starts no process', async () => {
  const { out, code } = await cli(['explain', '-m', 'demo/chat'], folder.path)
  expect(code).toBe(0)
  const { decisions } = JSON.parse(out) as { decisions: { by: string }[] }
  expect(decisions.find(({ by }) => by === 'cache')).toMatchObject({
    stage: 'cache',
    decision: 'would-miss',
    because: { alike: true },
  })
})

test('what the README says of a cache of one’s own in YAML is a configuration', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
  const [, yaml = ''] = /```yaml\n(embedded: true\n[^`]*)```/.exec(readme) ?? []
  await folder.write('switchyard.config.yaml', yaml)
  const { out, err, code } = await cli(['check'], folder.path)
  expect(err).toBe('')
  expect(code).toBe(0)
  expect(out.match(/@switchyard\/cache(-semantic)? /g)).toHaveLength(2)
})
