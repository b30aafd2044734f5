import { answerMutant, quiet, replyMutant, streamMutant } from './altering.ts'
import { ENDPOINTS } from './endpoints.ts'
import type { ModelMutant } from './model-fixture.ts'

/** What goes wrong with each endpoint beside chat and embeddings. */
export const endpointMutants: readonly ModelMutant[] = ENDPOINTS.flatMap(({ key, streamed }) => [
  replyMutant(`${key}-taken-for-text`, `${key}-answers`, (reply) =>
    reply.body instanceof Uint8Array
      ? {
          ...reply,
          body: Buffer.from(
            Buffer.from(reply.body).toString('latin1').replace('"index":1', '"index":3').replace('true', 'false'),
          ),
        }
      : reply,
  ),
  answerMutant(`${key}-answers-with-what-is-none`, `${key}-rejects`),
  ...(streamed === undefined
    ? []
    : [
        streamMutant(`${key}-drops-its-terminator`, `${key}-streams`, async function* (source) {
          let text = ''
          for await (const chunk of source) text += Buffer.from(chunk).toString('utf8')
          yield Buffer.from(text.replace(/(?:event: [^\n]*\n)?data: [^\n]*\n\n$/, ''))
        }),
        streamMutant(`${key}-ends-quietly`, `${key}-breaks`, quiet),
      ]),
])
