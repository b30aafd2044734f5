import { EXTENSION, encode, type ModelRequested } from './chat.ts'
import { type WireReply, wholeReply } from './wire-reply.ts'

/** Answers `POST /v1/moderations`: one result an input, flagged where it says "bad". It tells no usage, as OpenAI does not. */
export function moderationsReply({ index, model, body }: ModelRequested): WireReply {
  const inputs: readonly unknown[] = Array.isArray(body.input) ? body.input : [body.input]
  const results = inputs.map((input) => {
    const flagged = JSON.stringify(input).includes('bad')
    return { flagged, categories: { violence: flagged }, category_scores: { violence: flagged ? 0.9 : 0.1 } }
  })
  return wholeReply(encode({ id: `modr-fake-${index}`, model, results, ...EXTENSION }))
}

/** Answers `POST /v1/rerank` as Jina and Voyage do: the documents that hold the query first, else in their order. */
export function rerankReply({ model, body }: ModelRequested): WireReply {
  const documents: readonly unknown[] = Array.isArray(body.documents) ? body.documents : []
  const scored = documents.map((document, index) => ({
    index,
    relevance_score: JSON.stringify(document).includes(String(body.query)) ? 0.9 : 0.1,
  }))
  const results = scored.sort((a, b) => b.relevance_score - a.relevance_score)
  return wholeReply(encode({ model, results, usage: { total_tokens: 5 * documents.length }, ...EXTENSION }))
}
