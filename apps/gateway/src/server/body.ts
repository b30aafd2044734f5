import type { IncomingMessage } from 'node:http'
import { SwitchyardError } from '@switchyard/contract'

/**
 * Reads a request's body whole. Rejects `TOO_LARGE` above `maxBytes`, at once where content-length says so, and `ABORTED` when the
 * client leaves half-way.
 */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // It may have left while its key was checked: neither event would come then.
    if (request.destroyed && !request.readableEnded) {
      reject(leftEarly())
      return
    }
    if (Number(request.headers['content-length'] ?? 0) > maxBytes) {
      reject(tooLarge(maxBytes))
      return
    }
    let first: Buffer | undefined
    let chunks: Buffer[] | undefined
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > maxBytes) {
        request.removeAllListeners('data')
        request.pause()
        reject(tooLarge(maxBytes))
      } else if (first === undefined) first = chunk
      else {
        chunks ??= [first]
        chunks.push(chunk)
      }
    })
    request.once('end', () => resolve(chunks === undefined ? (first ?? Buffer.alloc(0)) : Buffer.concat(chunks)))
    request.once('error', () => reject(leftEarly()))
  })
}

/** Parses a JSON object. Throws `INVALID_REQUEST` saying what is wrong. */
export function parseObject(raw: Buffer): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(raw.toString('utf8'))
  } catch (cause) {
    // Without the cause, which quotes it too.
    throw new SwitchyardError('INVALID_REQUEST', `the request body is not valid JSON: ${placeIn(cause)}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new SwitchyardError('INVALID_REQUEST', 'the request body must be a JSON object')
  }
  return value as Readonly<Record<string, unknown>>
}

/** What the parser says without the piece of the body that it quotes: messages go into logs, and a body is a prompt. */
function placeIn(cause: unknown): string {
  const { message } = cause as Error
  const quoted = message.search(/,? \.{0,3}"/)
  return quoted === -1 ? message : message.slice(0, quoted)
}

function leftEarly(): SwitchyardError {
  return new SwitchyardError('ABORTED', 'the client left while it sent its request')
}

function tooLarge(maxBytes: number): SwitchyardError {
  return new SwitchyardError(
    'TOO_LARGE',
    `the request body is larger than ${maxBytes} bytes; the operator can raise server.maxBodyBytes`,
  )
}
