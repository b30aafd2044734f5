import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parseObject, readBody } from '../src/server/body.ts'
import { CHAT_HEAD, rawRequest } from './support/raw-request.ts'

let server: Server
let url: string
let request: Promise<IncomingMessage>
beforeEach(async () => {
  server = createServer()
  request = new Promise((resolve) => server.once('request', resolve))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(() => {
  server.closeAllConnections()
  server.close()
})

test('a client that leaves half-way is ABORTED', async () => {
  const { socket } = rawRequest(url, `${CHAT_HEAD}content-length: 9\r\n\r\n{`)
  const reading = readBody(await request, 100)
  socket.destroy()
  await expect(reading).rejects.toMatchObject({ code: 'ABORTED' })
})

test.each([
  ['content-length: 0\r\n\r\n', ''],
  ['content-length: 4\r\n\r\nbody', 'body'],
  ['transfer-encoding: chunked\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n', 'body'],
])('%j is read whole', async (rest, text) => {
  rawRequest(url, CHAT_HEAD + rest)
  expect((await readBody(await request, 4)).toString()).toBe(text)
})

test.each([
  ['{', /^the request body is not valid JSON: /],
  ['', /^the request body is not valid JSON: /],
  ['null', /^the request body must be a JSON object$/],
  ['[]', /^the request body must be a JSON object$/],
  ['"text"', /^the request body must be a JSON object$/],
])('%j is no JSON object', (text, message) => {
  expect(() => parseObject(Buffer.from(text))).toThrow(
    expect.objectContaining({ code: 'INVALID_REQUEST', message: expect.stringMatching(message) }),
  )
})

test.each([
  ['tell no canary', /: Unexpected token 'e'$/],
  ['{"a": canary}', /: Unexpected token 'c'$/],
  ['{"a": "", "canary": ""canary}', /JSON: .*position 22/],
])('what is said of %j quotes nothing of it: it goes into the log', (text, said) => {
  const thrown = ((): unknown => {
    try {
      return parseObject(Buffer.from(text))
    } catch (error) {
      return error
    }
  })() as Error
  expect(thrown.message).toMatch(said)
  expect(inspect(thrown, { depth: 9 })).not.toContain('canary')
})
