import { answerMutant, quiet, replyMutant, streamMutant } from './altering.ts'
import { ENDPOINTS } from './endpoints.ts'
import type { ModelMutant } from './model-fixture.ts'

/** What goes wrong with each endpoint beside chat and embeddings. */
export const endpointMutants: readonly ModelMutant[] = ENDPOINTS.flatMap(({ key, streamed }) => [
  replyMutant(`${key}-is-damaged`, `${key}-answers`, (reply) =>
    reply.body instanceof Uint8Array ? { ...reply, body: damaged(reply.body) } : reply,
  ),
  answerMutant(`${key}-answers-with-what-is-none`, `${key}-rejects`),
  ...(streamed === undefined
    ? []
    : [
        streamMutant(`${key}-drops-its-terminator`, `${key}-streams`, withoutLast),
        streamMutant(`${key}-ends-quietly`, `${key}-breaks`, quiet),
      ]),
])

/** Taken for latin1, and what is ASCII anyway changed: a number, a flag, an image. */
function damaged(body: Uint8Array): Uint8Array {
  const text = Buffer.from(body).toString('latin1')
  return Buffer.from(text.replace('"index":1', '"index":3').replace('true', 'false').replace('b64_json":"', '$&AAAA'))
}

async function* withoutLast(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let text = ''
  for await (const chunk of source) text += Buffer.from(chunk).toString()
  yield Buffer.from(text.replace(/(?:event: [^\n]*\n)?data: [^\n]*\n\n$/, ''))
}
