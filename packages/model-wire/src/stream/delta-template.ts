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

  /** The text of a known delta; undefined where the event, given with its field name and line ends, has to be parsed. */
  textOf(event: string): string | undefined {
    const { before, after } = this
    if (before === '') return undefined
    const end = event.length - after.length
    // Slices compare faster than `startsWith` and `endsWith` do.
    if (end < before.length || event.slice(0, before.length) !== before || event.slice(end) !== after) {
      this.misses++
      return undefined
    }
    for (let index = before.length; index < end; index++) {
      const code = event.charCodeAt(index)
      // Quotes and backslashes end the string or begin an escape, and control characters are not allowed in one.
      if (code === 34 || code === 92 || code < 32) return undefined
    }
    return event.slice(before.length, end)
  }

  /** Learns from an event that was parsed to `json`, if its only choice has a text and nothing else to tell. Tells whether it did. */
  learn(event: string, json: Json): boolean {
    if (this.misses > MAX_MISSES) return false
    const text = onlyText(json)
    if (text === undefined) return false
    const member = `"content":${JSON.stringify(text)}`
    const at = event.indexOf(member)
    if (at === -1 || event.indexOf('"content":', at + 1) !== -1 || event.indexOf('"content":') !== at) return false
    this.before = flat(event.slice(0, at + '"content":"'.length))
    this.after = flat(event.slice(at + member.length - 1))
    return true
  }
}

/** A copy that is no view into the event: it keeps no event alive, and comparing with it is several times as fast. */
function flat(text: string): string {
  return Buffer.from(text).toString()
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
