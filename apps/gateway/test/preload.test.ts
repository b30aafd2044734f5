import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, expect, test } from 'vitest'
import { PRELOAD } from '../src/portkey-child/preload.ts'

let parent: ChildProcess | undefined
let grandchild: number | undefined
afterEach(() => {
  parent?.kill('SIGKILL')
  if (grandchild !== undefined && alive(grandchild)) process.kill(grandchild, 'SIGKILL')
  grandchild = undefined
})

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** A parent that runs a program under the preload, and tells us what the program sends. */
function start(program: string): Promise<unknown> {
  const inner = JSON.stringify(['--import', PRELOAD, '--input-type=module', '-e', program])
  const outer = `
    const child = require('node:child_process').spawn(process.execPath, ${inner}, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
    child.once('message', (message) => process.send({ pid: child.pid, message }))`
  parent = spawn(process.execPath, ['-e', outer], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  return once(parent, 'message').then(([{ pid, message }]) => {
    grandchild = pid
    return message
  })
}

test('a program that writes nothing and is asked nothing leaves with its parent, also when that was killed', async () => {
  await start(`setInterval(() => {}, 1_000); process.send('up')`)
  const pid = grandchild as number
  expect(alive(pid)).toBe(true)
  parent?.kill('SIGKILL')
  await expect.poll(() => alive(pid), { timeout: 5_000 }).toBe(false)
})

test('whatever it listens on is loopback', async () => {
  const message = await start(`
    import { createServer } from 'node:http'
    import { once } from 'node:events'
    const ways = [
      (server) => server.listen(0),
      (server) => server.listen('0'),
      (server) => server.listen(0, '0.0.0.0'),
      (server) => server.listen(0, '0.0.0.0', 511),
      (server) => server.listen({ port: 0 }),
      (server) => server.listen({ port: 0, host: '::' }),
      (server) => server.listen(0, () => {}),
    ]
    const found = []
    for (const way of ways) {
      const server = way(createServer())
      await once(server, 'listening')
      found.push(server.address().address)
      server.close()
    }
    process.send(found)`)
  expect(message).toEqual(Array(7).fill('127.0.0.1'))
})
