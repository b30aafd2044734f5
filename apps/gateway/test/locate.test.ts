import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { locatePortkey } from '../src/portkey-child/locate.ts'
import { type TemporaryFolder, temporaryFolder } from './support/folder.ts'

let folder: TemporaryFolder
beforeEach(async () => {
  folder = await temporaryFolder()
})
afterEach(() => folder.remove())

const install = (name: string, version: string, below = ''): Promise<string> =>
  folder.write(join(below, 'node_modules', name, 'package.json'), JSON.stringify({ name, version }))
const locate = (): ReturnType<typeof locatePortkey> => locatePortkey(pathToFileURL(join(folder.path, 'app.js')).href)
const refused = (message: RegExp): object =>
  expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) })

test('a missing Portkey names what to install', () => {
  expect(locate).toThrow(refused(/^@portkey-ai\/gateway is not installed: npm install @portkey-ai\/gateway@\d/))
})

test.each<[string, string | undefined]>([
  ['missing', undefined],
  ['1.14.0', '1.14.0'],
  ['1.19.5', '1.19.5'],
])('a Portkey whose @hono/node-server is %s would answer no stream, and says what to override', async (found, version) => {
  await install('@portkey-ai/gateway', '1.15.2')
  if (version !== undefined) await install('@hono/node-server', version)
  expect(locate).toThrow(refused(new RegExp(`1\\.15\\.2 would answer every stream with 500.* is ${found},.*"overrides"`)))
})

test('beside the right server it is found', async () => {
  await install('@portkey-ai/gateway', '1.15.2')
  await install('@hono/node-server', '1.13.8')
  const root = join(folder.path, 'node_modules/@portkey-ai/gateway')
  expect(locate()).toEqual({ path: join(root, 'build/start-server.js'), version: '1.15.2' })
})

test('linked, as pnpm does it, the server counts that it really gets, and not ours', async () => {
  await install('@portkey-ai/gateway', '1.15.2', 'store')
  await install('@hono/node-server', '1.14.0', 'store')
  await install('@hono/node-server', '1.13.8')
  await folder.write('node_modules/@portkey-ai/.keep', '')
  await symlink(
    join(folder.path, 'store/node_modules/@portkey-ai/gateway'),
    join(folder.path, 'node_modules/@portkey-ai/gateway'),
  )
  expect(locate).toThrow(refused(/is 1\.14\.0/))
})
