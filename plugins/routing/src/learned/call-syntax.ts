/** A value of a call's argument, as JSON would hold it; identifiers and calls within are their own source text. */
export type CallValue = null | boolean | number | string | readonly CallValue[] | { readonly [key: string]: CallValue }

/** One proposed call: its name as written and its arguments; positional ones are keyed by their place, `0` first. */
export interface ProposedCall {
  readonly name: string
  readonly args: Readonly<Record<string, CallValue>>
}

const MAX_DEPTH = 32
const WORDS: Readonly<Record<string, CallValue>> = {
  True: true,
  true: true,
  False: false,
  false: false,
  None: null,
  null: null,
}

/** Reads calls in Python's syntax, `[f(a=1), g(b='x')]` or one alone. Undefined where the text is anything else. */
export function pythonCalls(text: string): readonly ProposedCall[] | undefined {
  const reader = new CallReader(text)
  try {
    return reader.calls()
  } catch (error) {
    if (error instanceof NotACall) return undefined
    throw error
  }
}

class NotACall extends Error {}

class CallReader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  calls(): readonly ProposedCall[] {
    const calls: ProposedCall[] = []
    if (this.#take('[')) {
      while (!this.#take(']')) {
        calls.push(this.#call(0))
        if (!this.#take(',')) {
          this.#expect(']')
          break
        }
      }
    } else calls.push(this.#call(0))
    this.#space()
    if (this.#at < this.#text.length || calls.length === 0) throw new NotACall()
    return calls
  }

  #call(depth: number): ProposedCall {
    const name = this.#name()
    this.#expect('(')
    return { name, args: this.#args(depth) }
  }

  #args(depth: number): Record<string, CallValue> {
    const args: Record<string, CallValue> = {}
    for (let place = 0; !this.#take(')'); place += 1) {
      const start = this.#at
      const key = this.#keyword()
      if (key === undefined) this.#at = start
      args[key ?? String(place)] = this.#value(depth + 1)
      if (!this.#take(',')) {
        this.#expect(')')
        break
      }
    }
    return args
  }

  #keyword(): string | undefined {
    this.#space()
    if (!isNameStart(this.#text.charCodeAt(this.#at))) return undefined
    const name = this.#name()
    this.#space()
    if (this.#text[this.#at] !== '=' || this.#text[this.#at + 1] === '=') return undefined
    this.#at += 1
    return name
  }

  #value(depth: number): CallValue {
    if (depth > MAX_DEPTH) throw new NotACall()
    this.#space()
    const char = this.#text[this.#at]
    if (char === "'" || char === '"') return this.#string(char)
    if (char === '[' || char === '(') return this.#list(char === '[' ? ']' : ')', depth)
    if (char === '{') return this.#dict(depth)
    if (char !== undefined && '+-.0123456789'.includes(char)) return this.#number()
    return this.#word(depth)
  }

  #list(end: string, depth: number): CallValue {
    this.#at += 1
    const items: CallValue[] = []
    while (!this.#take(end)) {
      items.push(this.#value(depth + 1))
      if (!this.#take(',')) {
        this.#expect(end)
        break
      }
    }
    return items
  }

  #dict(depth: number): CallValue {
    this.#at += 1
    const entries: Record<string, CallValue> = {}
    while (!this.#take('}')) {
      const key = this.#value(depth + 1)
      this.#expect(':')
      entries[typeof key === 'string' ? key : JSON.stringify(key)] = this.#value(depth + 1)
      if (!this.#take(',')) {
        this.#expect('}')
        break
      }
    }
    return entries
  }

  #string(quote: string): string {
    const text = this.#text
    let out = ''
    for (let at = this.#at + 1; at < text.length; at += 1) {
      const char = text[at] as string
      if (char === quote) {
        this.#at = at + 1
        return out
      }
      if (char === '\\' && at + 1 < text.length) {
        at += 1
        const escaped = text[at] as string
        out += escaped === 'n' ? '\n' : escaped === 't' ? '\t' : escaped
      } else out += char
    }
    throw new NotACall()
  }

  #number(): number {
    const start = this.#at
    while (this.#at < this.#text.length && '+-.0123456789eE_'.includes(this.#text[this.#at] as string)) this.#at += 1
    const value = Number(this.#text.slice(start, this.#at).replaceAll('_', ''))
    if (!Number.isFinite(value)) throw new NotACall()
    return value
  }

  #word(depth: number): CallValue {
    const start = this.#at
    const name = this.#name()
    const known = WORDS[name]
    if (known !== undefined) return known
    this.#space()
    if (this.#text[this.#at] === '(') {
      this.#at += 1
      this.#args(depth + 1)
    }
    return this.#text.slice(start, this.#at).trim()
  }

  #name(): string {
    this.#space()
    const start = this.#at
    if (!isNameStart(this.#text.charCodeAt(start))) throw new NotACall()
    while (this.#at < this.#text.length && isNamePart(this.#text.charCodeAt(this.#at))) this.#at += 1
    return this.#text.slice(start, this.#at)
  }

  #space(): void {
    while (this.#text.charCodeAt(this.#at) <= 32) this.#at += 1
  }

  #take(char: string): boolean {
    this.#space()
    if (this.#text[this.#at] !== char) return false
    this.#at += 1
    return true
  }

  #expect(char: string): void {
    if (!this.#take(char)) throw new NotACall()
  }
}

function isNameStart(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95 || code === 36
}

function isNamePart(code: number): boolean {
  return isNameStart(code) || (code >= 48 && code <= 57) || code === 46
}
