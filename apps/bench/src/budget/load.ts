/** One call of the load: what it asks for, and what will come of it. */
export interface LoadCall {
  readonly id: string
  readonly inputTokens: number
  readonly maxTokens: number
  /** Tokens that the upstream would generate. */
  readonly outputTokens: number
  /** How long the upstream takes for all of them, milliseconds. */
  readonly ms: number
  /** The client leaves when so many tokens have come; undefined = it stays. */
  readonly leavesAt: number | undefined
  /** Its settle is sent twice. */
  readonly settledTwice: boolean
}

/** Parts of the calls that go wrong, in [0, 1]. */
export interface LoadFaults {
  readonly cancels: number
  readonly duplicates: number
}

const MAX_TOKENS = [512, 1_024, 2_048, 4_096] as const
const LEAST_INPUT = 300
const INPUT_SPREAD = 900
const FIRST_TOKEN_MS = 60
const TOKEN_MS = 0.25
/** Makes answers two fifths of their limit in the mean, and some as long as it. */
const SKEW = 1.5

/** Draws a call. `random` is uniform in [0, 1). */
export function drawCall(id: string, random: () => number, faults: LoadFaults): LoadCall {
  const maxTokens = MAX_TOKENS[Math.floor(random() * MAX_TOKENS.length)] as number
  const outputTokens = Math.max(1, Math.ceil(maxTokens * random() ** SKEW))
  const leaves = random() < faults.cancels
  return {
    id,
    inputTokens: LEAST_INPUT + Math.floor(random() * INPUT_SPREAD),
    maxTokens,
    outputTokens,
    ms: FIRST_TOKEN_MS + outputTokens * TOKEN_MS,
    leavesAt: leaves ? Math.max(1, Math.ceil(outputTokens * random())) : undefined,
    settledTwice: random() < faults.duplicates,
  }
}

/** Tokens that an upstream has generated `ms` after a call's beginning, no more than it is asked for. */
export function generatedAt({ outputTokens, leavesAt, ms: whole }: LoadCall, ms: number): number {
  const most = leavesAt ?? outputTokens
  if (ms < FIRST_TOKEN_MS) return 0
  const rest = whole - FIRST_TOKEN_MS
  const some = rest <= 0 ? outputTokens : Math.floor((outputTokens * (ms - FIRST_TOKEN_MS)) / rest)
  return Math.min(most, some)
}

/** The request's body: a text of about so many tokens, and its limit. */
export function bodyOf({ inputTokens, maxTokens }: LoadCall, model: string): Readonly<Record<string, unknown>> {
  return {
    model,
    max_tokens: maxTokens,
    stream: true,
    messages: [{ role: 'user', content: 'word '.repeat(inputTokens - FRAME) }],
  }
}

/** Tokens of a request beside its text. */
const FRAME = 8
