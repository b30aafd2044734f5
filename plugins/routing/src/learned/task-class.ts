import type { AnswerKind } from './answers.ts'

/** What a request's shape says of the answer that it wants; read from the body, without a model. */
export type TaskClass = 'tools' | 'schema' | 'label' | 'number' | 'chat'

/** The parts of a request that decide which checks are legal. */
export interface RequestShape {
  readonly tools?: boolean
  readonly jsonSchema?: boolean
  /** What the route says of its answers, where the body cannot. */
  readonly answer?: AnswerKind
  /** Choices asked for. */
  readonly n?: number
  readonly logprobs?: boolean
  /** Tools that the provider runs, with fees or side effects. */
  readonly hostedTools?: boolean
  readonly stream?: boolean
}

/** The task class of a request's shape. */
export function taskClassOf({ tools, jsonSchema, answer }: RequestShape): TaskClass {
  if (tools === true || answer === 'call') return 'tools'
  if (answer === 'label' || answer === 'number') return answer
  return jsonSchema === true || answer === 'text' ? 'schema' : 'chat'
}

const KINDS: Readonly<Record<TaskClass, readonly AnswerKind[]>> = {
  tools: ['call'],
  schema: ['text', 'label', 'number'],
  label: ['label'],
  number: ['number'],
  chat: [],
}

/**
 * The kinds of answer by which replies to a request may be compared; none where a cascade is not legal: several choices, log
 * probabilities, tools that the provider runs, chat, or a stream, which can hand nothing out before it is accepted.
 */
export function comparableKinds(shape: RequestShape = {}): readonly AnswerKind[] {
  const { n = 1, logprobs, hostedTools, stream } = shape
  if (n > 1 || logprobs === true || hostedTools === true || stream === true) return []
  return KINDS[taskClassOf(shape)]
}
