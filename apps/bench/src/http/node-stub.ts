import { createServer } from 'node:http'
import { PLAIN_REPLY, STREAM_REPLY } from './payloads.ts'

const plain = Buffer.from(PLAIN_REPLY)
const stream = Buffer.from(STREAM_REPLY)

createServer((request, response) => {
  request.resume().once('end', () => {
    const streamed = request.url?.startsWith('/stream/') === true
    const body = streamed ? stream : plain
    response
      .writeHead(200, { 'content-type': streamed ? 'text/event-stream' : 'application/json', 'content-length': body.length })
      .end(body)
  })
}).listen(Number(process.argv[2]), '127.0.0.1')
