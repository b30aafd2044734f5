import { createServer } from 'node:http'
import { Pool } from 'undici'

/** The floor: the least that a proxy in Node can do. It forwards method, path and body, looks at nothing, and pipes back. */
const [port, upstream] = [Number(process.argv[2]), String(process.argv[3])]
const pool = new Pool(upstream, { connections: 256, pipelining: 1 })

createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.once('end', () => {
    pool
      .request({
        path: request.url ?? '/',
        method: request.method as 'POST',
        headers: { 'content-type': 'application/json' },
        body: request.method === 'POST' ? Buffer.concat(chunks) : null,
      })
      .then(({ statusCode, headers, body }) => {
        response.writeHead(statusCode, { 'content-type': String(headers['content-type'] ?? 'text/plain') })
        body.pipe(response)
      })
      .catch(() => response.writeHead(502).end())
  })
}).listen(port, '127.0.0.1')
