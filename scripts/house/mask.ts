/** Words after which a `/` begins a regular expression, not a division. */
const BEFORE_REGEX = /(?:^|[^\w$.])(?:return|typeof|case|in|of|do|else|void|delete|throw|new|await|yield)$/

/**
 * Source text of equal length in which comments, the contents of strings and regular expressions, and the text of templates are
 * blanks; line breaks and quotes stay. So a pattern that matches it matches code, at its true place.
 */
export function maskSource(source: string): string {
  const out = source.split('')
  const blank = (from: number, to: number): void => {
    for (let i = from; i < Math.min(to, out.length); i++) if (out[i] !== '\n') out[i] = ' '
  }
  let at = 0
  /** Brace depth of the code, with the depths at which a template's `${` opened. */
  let depth = 0
  const holes: number[] = []

  const endOfQuoted = (from: number, quote: string): number => {
    let i = from
    while (i < source.length && source[i] !== quote && source[i] !== '\n') i += source[i] === '\\' ? 2 : 1
    return i
  }
  const endOfRegex = (from: number): number => {
    let inClass = false
    let i = from
    while (i < source.length && source[i] !== '\n') {
      if (source[i] === '\\') i++
      else if (source[i] === '[') inClass = true
      else if (source[i] === ']') inClass = false
      else if (source[i] === '/' && !inClass) return i
      i++
    }
    return i
  }
  const template = (from: number): number => {
    let i = from
    while (i < source.length) {
      if (source[i] === '\\') i += 2
      else if (source[i] === '`') {
        blank(from, i)
        return i + 1
      } else if (source.startsWith('${', i)) {
        blank(from, i)
        holes.push(depth)
        depth++
        return i + 2
      } else i++
    }
    blank(from, i)
    return i
  }
  const regexMayStart = (): boolean => {
    let i = at - 1
    while (i >= 0 && /\s/.test(out[i] as string)) i--
    if (i < 0) return true
    const before = out[i] as string
    if (!/[\w$)\]}'"`]/.test(before)) return true
    return BEFORE_REGEX.test(out.slice(Math.max(0, i - 10), i + 1).join(''))
  }

  while (at < source.length) {
    const c = source[at] as string
    if (source.startsWith('//', at)) {
      const end = source.indexOf('\n', at)
      const stop = end === -1 ? source.length : end
      blank(at, stop)
      at = stop
    } else if (source.startsWith('/*', at)) {
      const end = source.indexOf('*/', at + 2)
      const stop = end === -1 ? source.length : end + 2
      blank(at, stop)
      at = stop
    } else if (c === '"' || c === "'") {
      const end = endOfQuoted(at + 1, c)
      blank(at + 1, end)
      at = end + 1
    } else if (c === '`') {
      at = template(at + 1)
    } else if (c === '/' && regexMayStart()) {
      const end = endOfRegex(at + 1)
      blank(at + 1, end)
      at = end + 1
    } else {
      if (c === '{') depth++
      if (c === '}') {
        depth--
        if (holes.at(-1) === depth) {
          holes.pop()
          at = template(at + 1)
          continue
        }
      }
      at++
    }
  }
  return out.join('')
}

/** 1-based line of an offset. */
export function lineAt(source: string, offset: number): number {
  let line = 1
  for (let i = source.indexOf('\n'); i !== -1 && i < offset; i = source.indexOf('\n', i + 1)) line++
  return line
}
