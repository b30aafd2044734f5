import type { FeedbackRow } from './port.ts'

/**
 * Feedback as lines of the file that `switchyard route fit` reads. The gateway keeps no prompts, so whoever has them, by the ids of
 * requests, gives them; rows without a prompt, a model or of a cascade's arm are left out. Rows of one prompt become one line, whose
 * outcomes are those models that were tried on it.
 */
export function feedbackLines(
  rows: Iterable<FeedbackRow>,
  promptOf: (requestId: string) => string | undefined,
): readonly string[] {
  const byPrompt = new Map<string, { readonly id: string; readonly m: Record<string, readonly number[]> }>()
  for (const { requestId, model, arm, score } of rows) {
    const prompt = promptOf(requestId)
    if (prompt === undefined || model === null || arm?.includes('(') === true) continue
    const line = byPrompt.get(prompt) ?? { id: requestId, m: {} }
    line.m[model] = [score]
    byPrompt.set(prompt, line)
  }
  return [...byPrompt].map(([prompt, { id, m }]) => JSON.stringify({ id, task: 'feedback', prompt, split: 'train', m }))
}
