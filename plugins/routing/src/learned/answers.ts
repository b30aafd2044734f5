import { type CallValue, type ProposedCall, pythonCalls } from './call-syntax.ts'

/** How two answers are compared: by a choice's label, a number, a proposed tool call, or as text; null where they cannot be. */
export type AnswerKind = 'label' | 'number' | 'call' | 'text' | null

const MAX_ANSWER_CHARS = 20_000

/**
 * The canonical form of an answer: equal strings mean the same answer. Undefined where there is no answer or it is not of the
 * kind (prose where a number is due), which no check may accept.
 */
export function canonicalAnswer(kind: AnswerKind, raw: unknown): string | undefined {
  if (kind === null || raw === null || raw === undefined) return undefined
  const text = typeof raw === 'string' ? raw : typeof raw === 'object' ? JSON.stringify(raw) : String(raw)
  if (text.length > MAX_ANSWER_CHARS) return undefined
  if (kind === 'label') return canonicalLabel(text)
  if (kind === 'number') return canonicalNumber(text)
  if (kind === 'call') {
    const calls = proposedCalls(text)
    return calls && canonicalCalls(calls)
  }
  const words = text.trim().toLowerCase().split(/\s+/).join(' ')
  return words === '' ? undefined : words
}

/** The tool calls that a reply consists of, from Python's syntax, JSON of the usual shapes, or either in a code fence. */
export function proposedCalls(text: string): readonly ProposedCall[] | undefined {
  const bare = withoutFence(text)
  const json = parseJson(bare)
  if (Array.isArray(json) && json.length === 1 && typeof json[0] === 'string') return proposedCalls(json[0])
  if (json !== undefined) return jsonCalls(json)
  const calls = pythonCalls(bare)
  if (calls?.length === 1 && calls[0]?.name === 'print')
    return pythonCalls(bare.slice(bare.indexOf('(') + 1, bare.lastIndexOf(')')))
  return calls
}

function canonicalLabel(text: string): string | undefined {
  const label = text
    .trim()
    .replace(/^[([{"'*\s]+|[)\]}"'.,:;*\s]+$/g, '')
    .toUpperCase()
  return label === '' ? undefined : label
}

function canonicalNumber(text: string): string | undefined {
  const bare = text
    .trim()
    .replace(/^[$€£]\s*|\s*[%.]$/g, '')
    .replace(/(\d),(?=\d{3}(\D|$))/g, '$1')
  const fraction = /^([+-]?\d+)\s*\/\s*(\d+)$/.exec(bare)
  const value = fraction ? Number(fraction[1]) / Number(fraction[2]) : bare === '' ? Number.NaN : Number(bare)
  if (!Number.isFinite(value)) return undefined
  return String(Number(value.toPrecision(12)) + 0)
}

function canonicalCalls(calls: readonly ProposedCall[]): string {
  return calls
    .map(({ name, args }) => `${canonicalName(name)}${canonicalValue(args)}`)
    .toSorted()
    .join(';')
}

/** A function's name as all dialects spell it: what is not a letter, digit or underscore counts as an underscore. */
export function canonicalName(name: string): string {
  return name.replace(/[^A-Za-z0-9_]/g, '_')
}

function canonicalValue(value: CallValue): string {
  if (Array.isArray(value)) return `[${value.map(canonicalValue).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalValue(item)}`).join(',')}}`
  }
  return JSON.stringify(typeof value === 'string' ? value.trim() : value)
}

function withoutFence(text: string): string {
  const trimmed = text.trim()
  if (!trimmed.startsWith('```') || !trimmed.endsWith('```') || trimmed.length < 6) return trimmed
  const firstLine = trimmed.indexOf('\n')
  return firstLine === -1 ? trimmed.slice(3, -3).trim() : trimmed.slice(firstLine + 1, -3).trim()
}

function parseJson(text: string): unknown {
  if (!text.startsWith('[') && !text.startsWith('{')) return undefined
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

function jsonCalls(json: unknown): readonly ProposedCall[] | undefined {
  if (!Array.isArray(json)) {
    const nested = isObject(json) ? json.tool_calls : undefined
    return Array.isArray(nested) ? jsonCalls(nested) : jsonCalls([json])
  }
  const calls: ProposedCall[] = []
  for (const item of json) {
    const call = jsonCall(item)
    if (call === undefined) return undefined
    calls.push(call)
  }
  return calls.length === 0 ? undefined : calls
}

function jsonCall(item: unknown): ProposedCall | undefined {
  if (!isObject(item)) return undefined
  if (isObject(item.function)) return jsonCall(item.function)
  if (typeof item.name === 'string') {
    const { name, ...rest } = item
    const given = item.arguments ?? item.parameters ?? item.params ?? item.args ?? item.input
    const args = given === undefined ? rest : argsOf(given)
    return args && { name, args: args as Record<string, CallValue> }
  }
  const [entry, ...more] = Object.entries(item)
  const args = entry && more.length === 0 ? argsOf(entry[1]) : undefined
  return entry && args && { name: entry[0], args: args as Record<string, CallValue> }
}

function argsOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  const parsed = typeof value === 'string' ? parseJson(value.trim()) : value
  return isObject(parsed) ? parsed : undefined
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
