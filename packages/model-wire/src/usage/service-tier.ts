import type { RawUsage } from './counts.ts'

/**
 * The service tier that a reply, or its usage, says it was served at, in the provider's words: OpenAI's `service_tier`, Anthropic's in
 * its usage, of which `speed: fast` is priced before it. Undefined where nothing is said; `auto` is a wish, not an answer.
 */
export function tierWord(fields: RawUsage): string | undefined {
  if (fields.speed === 'fast') return 'fast'
  const { service_tier: word } = fields
  return typeof word === 'string' && word !== '' && word !== 'auto' ? word : undefined
}
