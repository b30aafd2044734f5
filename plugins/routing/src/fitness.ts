import type { Entry } from '@switchyard/catalog'
import type { Features } from './features.ts'

/** What a request asks for, in the terms of a model's limits. */
export interface Demand {
  readonly features: Features
  /** Tokens that the prompt has at the least; above a model's context it cannot be served. */
  inputTokens(): number
  /** Tokens that the prompt has at the very most; what fits by this needs no estimate. */
  readonly inputTokensBound: number
  /** Tokens that the reply may have; 0 where the request does not say. */
  readonly outputTokens: number
}

/** Why a model cannot serve a request. */
export interface Unfit {
  readonly lacks: 'tools' | 'vision' | 'audio' | 'jsonSchema' | 'context'
  /** For people: `it takes no tools`. */
  readonly because: string
}

const LACKS = [
  ['tools', 'tools', 'it takes no tools'],
  ['vision', 'vision', 'it takes no images'],
  ['audio', 'audioIn', 'it takes no audio'],
  ['jsonSchema', 'jsonSchema', 'it does not hold to a JSON schema'],
] as const

/**
 * What stands in the way of a model's serving a request; undefined where nothing is known to. What the catalog does not know counts
 * as there: only a stated `false` shuts a model out.
 */
export function unfitness(entry: Entry | undefined, demand: Demand): Unfit | undefined {
  if (entry === undefined) return undefined
  for (const [feature, capability, because] of LACKS) {
    if (demand.features[feature] && entry.caps[capability] === false) return { lacks: feature, because }
  }
  return misfit(entry, demand)
}

function misfit({ limits }: Entry, demand: Demand): Unfit | undefined {
  const { context, input } = limits
  const room = Math.min(input ?? Number.POSITIVE_INFINITY, (context ?? Number.POSITIVE_INFINITY) - demand.outputTokens)
  if (demand.inputTokensBound <= room) return undefined
  const inputTokens = demand.inputTokens()
  if (inputTokens <= room) return undefined
  const reply = demand.outputTokens === 0 ? '' : ` and ${demand.outputTokens} for the reply`
  return { lacks: 'context', because: `its window of ${context ?? input} tokens has no room for about ${inputTokens}${reply}` }
}
