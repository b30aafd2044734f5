import type { Json } from './event-data.ts'

/** After so many events that fit no template, a stream is one whose events all differ, and nothing more is tried. */
const MAX_MISSES = 8

/**
 * Knows again an event that differs from an earlier, parsed one in nothing but the text of its delta, and so needs no parsing: what is
 * before and after the text is the same to the letter, and the text is a JSON string without escapes. One a stream.
 */
export class DeltaTemplate {
  private before = ''
  private after = ''
  private misses = 0

  /** The text of a known delta; undefined where the event has to be parsed. */
  textOf(data: string): string | undefined {
    const { before, after } = this
    if (before === '') return undefined
    const end = data.length - after.length
    if (end < before.length || !data.startsWith(before) || !data.endsWith(after)) {
      this.misses++
      return undefined
    }
    for (let index = before.length; index < end; index++) {
      const code = data.charCodeAt(index)
      // Quotes and backslashes end the string or begin an escape, and control characters are not allowed in one.
      if (code === 34 || code === 92 || code < 32) return undefined
    }
    return data.slice(before.length, end)
  }

  /** Learns from a parsed event whose only choice has a text and nothing else to tell. */
  learn(data: string, event: Json): void {
    if (this.misses > MAX_MISSES) return
    const text = onlyText(event)
    if (text === undefined) return
    const member = `"content":${JSON.stringify(text)}`
    const at = data.indexOf(member)
    if (at === -1 || data.indexOf('"content":', at + 1) !== -1 || data.indexOf('"content":') !== at) return
    this.before = data.slice(0, at + '"content":"'.length)
    this.after = data.slice(at + member.length - 1)
  }
}

/** The text of an event that holds one choice with a delta of content alone: no role, no tool, no reason, no counts. */
function onlyText(event: Json): string | undefined {
  const { choices } = event
  if (!Array.isArray(choices) || choices.length !== 1 || (event.usage !== undefined && event.usage !== null)) return undefined
  const { delta, finish_reason: reason } = choices[0] as Json
  if ((reason !== undefined && reason !== null) || typeof delta !== 'object' || delta === null) return undefined
  const { content, ...rest } = delta as Json
  for (const name in rest) if (rest[name] !== null) return undefined
  return typeof content === 'string' && content !== '' ? content : undefined
}
