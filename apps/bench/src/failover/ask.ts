import { connect } from 'node:net'

const PATIENCE_MS = 5_000
/** After the last bytes of a reply that is a list, none is taken to come any more. */
const QUIET_MS = 20

/**
 * Asks a Redis on loopback one command over a connection of its own, and resolves with the reply: a text, or a list as the protocol
 * writes it. Rejects with the words of an error. For setting servers up: cache-redis's own client is what is under test.
 */
export function ask(port: number, words: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: PATIENCE_MS })
    let said = ''
    let quiet: NodeJS.Timeout | undefined
    const end = (settle: () => void): void => {
      clearTimeout(quiet)
      socket.destroy()
      settle()
    }
    socket.setEncoding('utf8')
    socket.once('error', (error) => end(() => reject(error)))
    socket.once('timeout', () => end(() => reject(new Error(`redis-server on port ${port} is silent`))))
    socket.on('data', (text: string) => {
      said += text
      const at = said.indexOf('\r\n')
      if (at < 0) return
      const [kind, first] = [said[0], said.slice(1, at)]
      if (kind === '-') return end(() => reject(new Error(first)))
      if (kind === '+' || kind === ':') return end(() => resolve(first))
      if (kind === '$') {
        const body = said.slice(at + 2)
        if (Buffer.byteLength(body) >= Number(first)) end(() => resolve(body.slice(0, -2)))
        return
      }
      clearTimeout(quiet)
      quiet = setTimeout(() => end(() => resolve(said)), QUIET_MS)
    })
    const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`)
    socket.write(`*${words.length}\r\n${parts.join('')}`)
  })
}
