import type { ModelEndpoint } from '@switchyard/contract'

type Body = Readonly<Record<string, unknown>>

/** Answers that a request may ask for at once: servers of one's own allow no more (vLLM), vendors far less. */
const MOST_ANSWERS = 16_384

/**
 * The most output tokens that a request asks for, all its answers together; undefined where it sets no limit, or one that is no whole
 * number >= 0: then the model's own limit holds. Of two limits the larger one counts, since an upstream may know but that one.
 */
export function outputLimit(body: Body, endpoint: ModelEndpoint): number | undefined {
  switch (endpoint) {
    case 'embeddings':
    case 'moderations':
    case 'rerank':
      return 0
    case 'chat/completions':
      return times(larger(count(body.max_completion_tokens), count(body.max_tokens)), outputAnswers(body, endpoint))
    case 'completions':
      return times(count(body.max_tokens), outputAnswers(body, endpoint))
    case 'responses':
      return count(body.max_output_tokens)
    case 'messages':
      return count(body.max_tokens)
    default:
      return undefined
  }
}

/** How many answers a request asks for, those included that are made and thrown away (`best_of`): 1 to 16,384 for each of its prompts. */
export function outputAnswers(body: Body, endpoint: ModelEndpoint): number {
  if (endpoint === 'completions') return Math.max(answers(body.n), answers(body.best_of)) * prompts(body.prompt)
  return endpoint === 'chat/completions' || endpoint === 'images/generations' ? answers(body.n) : 1
}

function larger(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.max(one, other)
}

function times(limit: number | undefined, factor: number): number | undefined {
  return limit === undefined ? undefined : Math.min(limit * factor, Number.MAX_SAFE_INTEGER)
}

/** Servers that are written in Python read digits in quotes as a number. */
function answers(value: unknown): number {
  const number = typeof value === 'string' ? Number(value) : value
  return Math.min(Math.max(count(number) ?? 1, 1), MOST_ANSWERS)
}

/** A list of numbers is one prompt, as token ids. */
function prompts(value: unknown): number {
  return Array.isArray(value) && typeof value[0] !== 'number' ? Math.max(value.length, 1) : 1
}

function count(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}
