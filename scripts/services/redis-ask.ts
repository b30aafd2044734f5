import { connect } from 'node:net'

const PATIENCE_MS = 5_000

/**
 * Asks a Redis one command over a connection of its own, logging in where the URL says so, and resolves with the reply: simple and
 * bulk strings and integers as text, anything else as the protocol writes it. Rejects with the words of an error reply.
 */
export function askRedis(url: string, words: readonly string[]): Promise<string> {
  const { hostname, port, username, password } = new URL(url)
  const login = ['AUTH', ...(username === '' ? [] : [username]), password].map(decodeURIComponent)
  let greeted = password === ''
  const commands = greeted ? [words] : [login, words]
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port || 6379), timeout: PATIENCE_MS })
    let said = ''
    const fail = (error: Error): void => {
      socket.destroy()
      reject(error)
    }
    socket.once('timeout', () => fail(new Error('no answer')))
    socket.once('error', fail)
    socket.once('close', () => reject(new Error(`it hung up, having said ${JSON.stringify(said.slice(0, 80))}`)))
    socket.setEncoding('utf8')
    socket.on('data', (data: string) => {
      said += data
      if (!greeted && said.startsWith('+') && said.includes('\r\n')) {
        said = said.slice(said.indexOf('\r\n') + 2)
        greeted = true
      }
      const end = said.indexOf('\r\n')
      if (end < 0) return
      const [kind, first] = [said[0], said.slice(1, end)]
      if (kind === '-') return fail(new Error(first))
      if (kind !== '$') return done(kind === '+' || kind === ':' ? first : said)
      const body = Buffer.from(said.slice(end + 2))
      if (body.length >= Number(first)) done(body.subarray(0, Math.max(0, Number(first))).toString())
    })
    socket.write(commands.map(encoded).join(''))

    function done(reply: string): void {
      socket.destroy()
      resolve(reply)
    }
  })
}

function encoded(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`
}
