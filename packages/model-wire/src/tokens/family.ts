/** Families whose vocabulary is at hand, so that their texts can be counted and need no estimate. */
const COUNTED: ReadonlySet<string> = new Set(['openai'])

/** Names of models to families; the first that fits. A catalog that knows a model's tokenizer passes that name instead. */
const FAMILIES: readonly (readonly [pattern: RegExp, family: string])[] = [
  [/claude/, 'claude'],
  [/gemini|gemma|palm/, 'gemini'],
  [/gpt|chatgpt|codex|davinci|text-embedding-(?:3|ada)|(?:^|\/)o[1-9]\d?(?:-|$)|omni-moderation|tts-1|whisper/, 'openai'],
  [/deepseek/, 'deepseek'],
  [/qwen|qwq/, 'qwen'],
  [/kimi|moonshot/, 'kimi'],
  [/glm/, 'glm'],
  [/grok/, 'grok'],
  [/llama/, 'llama'],
  [/mistral|mixtral|codestral|magistral|devstral|ministral|pixtral/, 'mistral'],
  [/command|cohere|embed-/, 'cohere'],
]

/** The tokenizer family of a model id such as `openai/gpt-5.4`, by its name: a fixed set, `other` where none fits. */
export function tokenFamily(model: string): string {
  const name = model.slice(-MAX_NAME).toLowerCase()
  return FAMILIES.find(([pattern]) => pattern.test(name))?.[1] ?? 'other'
}

/** Longer ids are cut from the left: they come from clients. */
const MAX_NAME = 200

/** Whether a family's texts are counted by its own vocabulary, o200k. */
export function isCounted(family: string): boolean {
  return COUNTED.has(family)
}
