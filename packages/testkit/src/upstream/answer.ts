import { whatWasAsked } from './asked.ts'
import { type Fault, find } from './faults.ts'
import { fittingValue } from './fitting-value.ts'

/** What the fake model says, piece by piece; several bytes a character, so that splits fall inside characters. */
export const DEFAULT_TOKENS: readonly string[] = ['Grüße', ' aus', ' dem', ' 🚃', '-Depot', ': 你好', ', "\\n"', ' quoted', '.']

/** What the first tool is called with where a fault asks for a call. */
const TOOL_INPUT: object = { city: 'Zürich', days: 3 }

/** A call that the fake model makes. */
export interface MadeCall {
  readonly id: string
  readonly name: string
  /** JSON text. */
  readonly arguments: string
}

/** What the fake model answers, whatever the dialect. */
export interface Answer {
  /** What it says, where it calls nothing; as many as the answer costs. */
  readonly tokens: readonly string[]
  readonly calls: readonly MadeCall[]
}

/** The same answer to everything, unless a fault asks for a call of the first tool. */
export function fixedAnswer(
  index: number,
  body: Readonly<Record<string, unknown>>,
  tokens: readonly string[],
  faults: readonly Fault[],
): Answer {
  if (find(faults, 'tool-call') === undefined) return { tokens, calls: [] }
  const [tool] = (body.tools ?? []) as readonly {
    readonly name?: string
    readonly function?: { readonly name?: string }
  }[]
  const name = tool?.function?.name ?? tool?.name
  if (name === undefined) return { tokens, calls: [] }
  return { tokens, calls: [{ id: `call_fake_${index}`, name, arguments: JSON.stringify(TOOL_INPUT) }] }
}

/**
 * Answers what was asked, so that a client can be followed through a whole turn: each tool that may be called is, with arguments that
 * fit; results of tools are repeated; a schema is answered by JSON that fits it; images are named; all else is said back.
 */
export function attentiveAnswer(index: number, body: Readonly<Record<string, unknown>>): Answer {
  const { text, images, results, tools, schema } = whatWasAsked(body)
  if (results.length === 0 && tools.length > 0) {
    const calls = tools.map((tool, place) => ({
      id: `call_fake_${index}_${place}`,
      name: tool.name,
      arguments: JSON.stringify(fittingValue(tool.schema)),
    }))
    return { tokens: calls.flatMap(argumentPieces), calls }
  }
  if (schema !== undefined) return said(JSON.stringify(fittingValue(schema)))
  if (results.length > 0) return said(`The tools said: ${results.join(' and ')}`)
  return said(images.length > 0 ? `I saw ${images.join(' and ')}` : `You said: ${text}`)
}

function said(text: string): Answer {
  return { tokens: inPieces(text), calls: [] }
}

/** A call's arguments as a stream spreads them. */
export function argumentPieces(call: MadeCall): readonly string[] {
  return inPieces(call.arguments)
}

function inPieces(text: string): readonly string[] {
  return text.match(/.{1,6}/gsu) ?? []
}
