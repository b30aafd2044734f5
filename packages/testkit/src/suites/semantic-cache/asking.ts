import {
  quietTrace,
  type SemanticCache,
  type SemanticFinding,
  type SemanticQuestion,
  SwitchyardError,
} from '@switchyard/contract'
import type { Opened } from '../../conformance/suite.ts'

/** A question that no instance has a reason to leave alone: English, of one turn, naming nobody and nothing. */
export const TEXT = 'how do i reset the password of my account'
export const PARTITION = 'partition-one'
export const POPULATION = 'population-one'
export const KEY = 'key-of-the-first-answer'

/** How long an instance may take to index an answer, by its clock. */
const INDEXED_AFTER_MS = 100
const KEPT_MS = 3_600_000

/** A question as a cache policy asks it; nobody answers calls that the level makes of its own. */
export function question(over: Partial<SemanticQuestion> = {}): SemanticQuestion {
  const text = over.text ?? TEXT
  return {
    call: {
      id: 'call-1',
      operation: 'model.invoke',
      target: 'provider',
      request: {
        endpoint: 'chat/completions',
        model: 'openai/gpt',
        body: { messages: [{ role: 'user', content: text }] },
        stream: false,
      },
      principal: { tenant: 'tenant-one', keyId: 'key-one', roles: [] },
      signal: new AbortController().signal,
      deadline: undefined,
      attempt: 1,
      idempotent: true,
      attributes: {},
      trace: quietTrace(),
    },
    partition: PARTITION,
    population: POPULATION,
    text,
    earlierTurns: false,
    shared: false,
    next: () => Promise.reject(new SwitchyardError('UPSTREAM_UNAVAILABLE', 'nobody answers in this suite')),
    answerOf: async () => 'Open the settings and choose a new one.',
    ...over,
  }
}

/** Looks a question up and settles it with an answer under `key`. */
export async function answered(
  opened: Opened<SemanticCache>,
  asked: SemanticQuestion,
  key: string = KEY,
): Promise<SemanticFinding> {
  const finding = await opened.instance.find(asked)
  finding.settle({ key, answer: 'Open the settings and choose a new one.', expiresAt: opened.now() + KEPT_MS })
  await opened.advance(INDEXED_AFTER_MS)
  return finding
}
