import { FAULTS } from './fault-catalogue.ts'
import type { Fault, FaultInput } from './faults.ts'

/** How a kind is written: its positional arguments, then its optional ones as `,key:value`. */
interface Form {
  readonly args: readonly Field[]
  readonly more?: Readonly<Record<string, Field>>
}
interface Field {
  readonly key: string
  /** Allowed words; absent: a whole number >= 0, or any text for `text`. */
  readonly words?: readonly string[]
  readonly text?: true
  readonly default?: string | number
}

const reach: Readonly<Record<string, Field>> = { after: { key: 'afterEvents' }, bytes: { key: 'afterBytes' } }
const every: Readonly<Record<string, Field>> = { every: { key: 'everyMs' } }
const at = (...words: readonly string[]): Field => ({ key: 'at', words })

const FORMS: Readonly<Record<Fault['kind'], Form>> = {
  status: {
    args: [{ key: 'status' }],
    more: {
      'retry-after': { key: 'retryAfter', text: true },
      body: { key: 'body', words: ['json', 'html', 'empty', 'echo'] },
    },
  },
  delay: { args: [at('accept', 'headers', 'first', 'tokens'), { key: 'ms' }] },
  stall: { args: [at('headers', 'first', 'mid')], more: reach },
  reset: { args: [at('accept', 'headers', 'first', 'mid')], more: reach },
  end: { args: [at('headers', 'first', 'mid')], more: reach },
  short: { args: [] },
  malformed: { args: [at('first', 'mid')] },
  garbage: { args: [at('headers', 'mid')] },
  html: { args: [] },
  empty: { args: [] },
  split: { args: [{ key: 'bytes', default: 1 }], more: every },
  lines: { args: [{ key: 'end', words: ['crlf', 'cr'] }] },
  bom: { args: [] },
  pings: { args: [{ key: 'count', default: 3 }], more: every },
  usage: { args: [{ key: 'flaw', words: ['absent', 'inconsistent', 'negative'] }] },
  error: { args: [at('first', 'mid')], more: { type: { key: 'type', text: true } } },
  finish: { args: [{ key: 'reason', text: true, default: 'error' }] },
  'no-done': { args: [] },
  huge: { args: [{ key: 'bytes', default: 8 * 1024 * 1024 }] },
  endless: { args: [{ key: 'everyMs', default: 5 }] },
  'no-content-type': { args: [] },
  redirect: { args: [{ key: 'to', words: ['self', 'other'] }], more: { status: { key: 'status', default: 307 } } },
  'tool-call': { args: [] },
}

/**
 * Reads a fault's compact text: `status:429,retry-after:2`, `reset:mid,after:3`, a name of FAULTS such as `cut-mid-stream`, or
 * several joined by `+`. Throws TypeError naming what was wrong and what is known.
 */
export function parseFault(text: string): readonly Fault[] {
  return text.split('+').flatMap((part) => {
    const one = part.trim()
    const named = FAULTS.find(({ name }) => name === one)
    return named === undefined || named.fault === one ? [parseOne(one)] : parseFault(named.fault)
  })
}

/** Writes faults in the text that `parseFault` reads back. */
export function formatFault(input: FaultInput): string {
  return faultsOf(input).map(formatOne).join('+')
}

/** Any form of a fault as data. Throws as `parseFault` does. */
export function faultsOf(input: FaultInput): readonly Fault[] {
  if (typeof input === 'string') return parseFault(input)
  return Array.isArray(input) ? (input as readonly Fault[]) : [input as Fault]
}

function parseOne(text: string): Fault {
  const [head = '', ...options] = text.split(',')
  const [kind = '', ...values] = head.split(':')
  if (!Object.hasOwn(FORMS, kind)) {
    throw new TypeError(
      `no fault is called ${JSON.stringify(kind)}; known: ${Object.keys(FORMS).join(', ')}, and the names of FAULTS`,
    )
  }
  const { args, more = {} } = FORMS[kind as Fault['kind']]
  if (values.length > args.length) throw new TypeError(`fault ${JSON.stringify(text)} has too many arguments`)
  const fault: Record<string, unknown> = { kind }
  for (const [index, field] of args.entries()) fault[field.key] = read(text, field, values[index])
  for (const field of Object.values(more)) if (field.default !== undefined) fault[field.key] = field.default
  for (const option of options) {
    const colon = option.indexOf(':')
    const name = colon < 0 ? option : option.slice(0, colon)
    const field = Object.hasOwn(more, name) ? more[name] : undefined
    if (field === undefined) {
      throw new TypeError(
        `fault ${kind} has no option ${JSON.stringify(name)}; known: ${Object.keys(more).join(', ') || 'none'}`,
      )
    }
    fault[field.key] = read(text, field, colon < 0 ? undefined : option.slice(colon + 1))
  }
  return fault as unknown as Fault
}

function read(text: string, field: Field, value: string | undefined): string | number {
  if (value === undefined || value === '') {
    if (field.default !== undefined) return field.default
    throw new TypeError(
      `fault ${JSON.stringify(text)} lacks its ${field.key}${field.words ? `: ${field.words.join(', ')}` : ''}`,
    )
  }
  if (field.text) return value
  if (field.words !== undefined) {
    if (field.words.includes(value)) return value
    throw new TypeError(
      `fault ${JSON.stringify(text)}: ${field.key} is one of ${field.words.join(', ')}, not ${JSON.stringify(value)}`,
    )
  }
  const number = Number(value)
  if (Number.isSafeInteger(number) && number >= 0) return number
  throw new TypeError(`fault ${JSON.stringify(text)}: ${field.key} is a whole number, not ${JSON.stringify(value)}`)
}

function formatOne(fault: Fault): string {
  const { args, more = {} } = FORMS[fault.kind]
  const values = fault as unknown as Readonly<Record<string, unknown>>
  const head = [fault.kind, ...args.map(({ key }) => String(values[key]))].join(':')
  const options = Object.entries(more)
    .filter(([, { key, default: usual }]) => values[key] !== undefined && values[key] !== usual)
    .map(([name, { key }]) => `${name}:${values[key]}`)
  return [head, ...options].join(',')
}
