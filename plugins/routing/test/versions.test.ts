import { router } from '@switchyard/contract'
import { startPlugin } from '@switchyard/testkit'
import { expect, test } from 'vitest'
import { routing } from '../src/index.ts'

const provider = {
  capabilities: { endpoints: [], streaming: true, models: 'any', listing: false, cancels: true },
} as never

async function versionOf(name: string, routes: object): Promise<string | undefined> {
  const plugin = await startPlugin(routing({ routes: routes as never }), { deps: { providers: new Map([['p', provider]]) } })
  const version = plugin.port(router).version?.(name)
  await plugin.close()
  return version
}

test('a name has another version where it stands for something else, and the same where it does not', async () => {
  const fast = { targets: [{ model: 'a/one' }] }
  const version = await versionOf('fast', { fast })
  expect(version).toMatch(/^[A-Za-z0-9_-]{16}$/)
  expect(await versionOf('fast', { other: { targets: [{ model: 'b/two' }] }, fast })).toBe(version)
  expect(await versionOf('fast', { fast: { targets: [{ model: 'a/two' }] } })).not.toBe(version)
  expect(await versionOf('unknown', { fast })).toBeUndefined()
})
