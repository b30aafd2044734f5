import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { SwitchyardError } from '@switchyard/contract'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { relay } from '../src/server/relay.ts'

/** More than the sockets between us and the client take in. */
const MUCH = Buffer.alloc(8 * 1024 * 1024, 'x')

let server: Server
let client: Socket
let response: ServerResponse
let received: string

beforeEach(async () => {
  server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  client.on('error', () => {})
  client.write('GET / HTTP/1.1\r\nhost: here\r\n\r\n')
  response = (await once(server, 'request'))[1] as ServerResponse
  received = ''
})
afterEach(() => {
  client.destroy()
  server.close()
})

function read(): void {
  client.on('data', (bytes) => {
    received += bytes.toString('latin1')
  })
}

/** A body that knows whether it was broken off. */
function body(chunks: Iterable<Uint8Array>): AsyncIterable<Uint8Array> & { readonly left: Promise<void>; pulled: number } {
  let leave = (): void => {}
  const left = new Promise<void>((resolve) => {
    leave = resolve
  })
  const source = {
    left,
    pulled: 0,
    async *[Symbol.asyncIterator]() {
      try {
        for (const chunk of chunks) {
          source.pulled++
          yield chunk
        }
      } finally {
        leave()
      }
    },
  }
  return source
}

function* endless(): Generator<Buffer> {
  for (;;) yield MUCH
}

test('a client that reads nothing is dropped after its time, and the body is broken off', async () => {
  client.pause()
  const source = body(endless())
  await relay(response, source, 20, 'chat/completions')
  await source.left
  expect(response.destroyed).toBe(true)
  expect(source.pulled).toBe(1)
})

test('a slow client that reads is waited for, and gets everything', async () => {
  client.pause()
  const source = body([MUCH, MUCH])
  const done = relay(response, source, 60_000, 'chat/completions')
  await once(client, 'readable')
  expect(source.pulled).toBe(1)
  read()
  client.resume()
  await done
  await expect.poll(() => received.endsWith('0\r\n\r\n')).toBe(true)
  expect(received.length).toBeGreaterThan(2 * MUCH.length)
})

test('a client that leaves while it is waited for breaks off the body', async () => {
  client.pause()
  const source = body(endless())
  const done = relay(response, source, 60_000, 'chat/completions')
  await once(client, 'readable')
  client.destroy()
  await Promise.all([done, source.left])
  expect(source.pulled).toBe(1)
})

test('a client that has left breaks off the body at the next chunk', async () => {
  client.destroy()
  await once(response, 'close')
  const source = body(endless())
  await relay(response, source, 60_000, 'chat/completions')
  await source.left
  expect(source.pulled).toBe(1)
})

test('a break after the first byte is an error event at the end, never [DONE]', async () => {
  read()
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('data: {"one":1}\n\n')
    throw new SwitchyardError('UPSTREAM_TRUNCATED', 'it broke')
  }
  await relay(response, broken(), 60_000, 'chat/completions')
  await expect.poll(() => received.endsWith('0\r\n\r\n')).toBe(true)
  const events = received.split('\n\n').filter((part) => part.includes('data: '))
  expect(JSON.parse(events.at(-1)?.split('data: ')[1] ?? '')).toMatchObject({
    error: { message: 'it broke', type: 'server_error', code: 'upstream_truncated' },
  })
  expect(received).not.toContain('[DONE]')
})

test('a break after the client left is nothing more', async () => {
  client.destroy()
  await once(response, 'close')
  const broken = { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('aborted')) }) }
  await expect(relay(response, broken, 60_000, 'chat/completions')).resolves.toBeUndefined()
})
