/** Every simulated text starts with this, so that nobody takes it for a model's. */
export const LABEL = '[simulated]'
export const DEMO_MODELS: readonly string[] = ['chat', 'embed']

/** Made-up prices in USD per million tokens, so that costs and budgets can be tried with no key. */
export const DEMO_PRICES: readonly Readonly<Record<string, unknown>>[] = [
  { model: 'demo/chat', from: '2026-01-01', input: 1, output: 4, context: 128_000, maxOutput: 4_096, source: 'made up' },
  { model: 'demo/embed', from: '2026-01-01', input: 0.1, source: 'made up' },
]
const DIMENSIONS = 64

export interface DemoChat {
  readonly model: string
  readonly words: readonly string[]
  readonly promptTokens: number
}

/** What the simulated model says: a label, and the last user message given back. */
export function demoChat(body: Readonly<Record<string, unknown>>): DemoChat {
  const messages = Array.isArray(body.messages) ? (body.messages as { role?: string; content?: unknown }[]) : []
  const last = messages.findLast((message) => message.role === 'user')
  const said = textOf(last?.content).slice(0, 500)
  const answer = `${LABEL} This is Switchyard's built-in demo model; no real model was called. You said: ${said || '(nothing)'}`
  const prompt = messages.map((message) => textOf(message.content)).join(' ')
  return { model: String(body.model ?? 'chat'), words: answer.split(/(?<= )/), promptTokens: estimate(prompt) }
}

/** A vector of length 1 that depends on the text alone: equal texts have similarity 1, unlike texts do not. */
export function demoEmbedding(text: string): number[] {
  const vector = new Array<number>(DIMENSIONS).fill(0)
  const lower = ` ${text.toLowerCase()} `
  for (let index = 0; index < lower.length - 2; index++) {
    let hash = 2166136261
    for (let offset = 0; offset < 3; offset++) hash = Math.imul(hash ^ lower.charCodeAt(index + offset), 16777619)
    const slot = (hash >>> 0) % DIMENSIONS
    vector[slot] = (vector[slot] ?? 0) + 1
  }
  const length = Math.hypot(...vector) || 1
  return vector.map((value) => value / length)
}

/** About four characters a token, as for English text. */
export function estimate(text: string): number {
  return Math.max(1, Math.ceil(text.length / 4))
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map((part: { text?: unknown }) => (typeof part?.text === 'string' ? part.text : '')).join(' ')
}
