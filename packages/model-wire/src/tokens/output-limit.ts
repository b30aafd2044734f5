import type { ModelEndpoint } from '@switchyard/contract'

type Body = Readonly<Record<string, unknown>>

/** Answers that a request may ask for at once: more is refused by every vendor. */
const MOST_ANSWERS = 128

/**
 * The most output tokens that a request asks for, all its answers together; undefined where it sets no limit, or one that is no whole
 * number >= 0: then the model's own limit holds.
 */
export function outputLimit(body: Body, endpoint: ModelEndpoint): number | undefined {
  switch (endpoint) {
    case 'embeddings':
    case 'moderations':
    case 'rerank':
      return 0
    case 'chat/completions':
      return times(count(body.max_completion_tokens) ?? count(body.max_tokens), answers(body.n))
    case 'completions':
      return times(count(body.max_tokens), Math.max(answers(body.n), answers(body.best_of)) * prompts(body.prompt))
    case 'responses':
      return count(body.max_output_tokens)
    case 'messages':
      return count(body.max_tokens)
    default:
      return undefined
  }
}

function times(limit: number | undefined, factor: number): number | undefined {
  return limit === undefined ? undefined : Math.min(limit * factor, Number.MAX_SAFE_INTEGER)
}

function answers(value: unknown): number {
  return Math.min(Math.max(count(value) ?? 1, 1), MOST_ANSWERS)
}

/** A list of numbers is one prompt, as token ids. */
function prompts(value: unknown): number {
  return Array.isArray(value) && typeof value[0] !== 'number' ? Math.max(value.length, 1) : 1
}

function count(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}
