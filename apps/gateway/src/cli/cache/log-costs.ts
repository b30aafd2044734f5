import { type Catalog, type Entry, microUsd } from '@switchyard/catalog'
import type { Usage } from '@switchyard/contract'
import { estimateRequest, estimateTokens, tokenFamily } from '@switchyard/model-wire'
import type { LoggedRequest } from './log-line.ts'

/** What requests of one model cost, and what its repeats did of that. */
export interface ModelCost {
  readonly model: string
  readonly requests: number
  readonly repeats: number
  /** Micro-USD; undefined where the catalog has no price for the model. */
  readonly micro: number | undefined
  readonly repeatMicro: number | undefined
  /** Requests whose tokens were estimated, and those of which no answer is known, so that their output is not in the cost. */
  readonly estimated: number
  readonly withoutOutput: number
}

export interface LogCosts {
  add(request: LoggedRequest, isRepeat: boolean): void
  /** The dearest first. */
  readonly models: readonly ModelCost[]
}

interface Sum {
  readonly entry: Entry | undefined
  requests: number
  repeats: number
  pico: bigint
  repeatPico: bigint
  estimated: number
  withoutOutput: number
}

/** Models that are told apart; clients name them. */
const MOST_MODELS = 1_000
const OTHERS = '(others)'

/** Prices requests by a catalog, as their usage in the log, or else by estimates of their texts. */
export function logCosts(catalog: Catalog): LogCosts {
  const sums = new Map<string, Sum>()

  function sumOf(model: string): Sum {
    const name = sums.has(model) || sums.size < MOST_MODELS ? model : OTHERS
    const known = sums.get(name)
    if (known !== undefined) return known
    const made = {
      entry: entryOf(catalog, name),
      requests: 0,
      repeats: 0,
      pico: 0n,
      repeatPico: 0n,
      estimated: 0,
      withoutOutput: 0,
    }
    sums.set(name, made)
    return made
  }

  return {
    add(request, isRepeat) {
      const sum = sumOf(request.model)
      sum.requests += 1
      if (isRepeat) sum.repeats += 1
      if (sum.entry === undefined) return
      const usage = request.usage ?? estimated(request)
      if (request.usage === undefined) {
        sum.estimated += 1
        if (request.answer === undefined) sum.withoutOutput += 1
      }
      const pico = catalog.price(sum.entry, usage)?.pico ?? 0n
      sum.pico += pico
      if (isRepeat) sum.repeatPico += pico
    },
    get models() {
      const all = [...sums].map(([model, { entry, pico, repeatPico, ...counts }]) => ({
        model,
        ...counts,
        micro: entry === undefined ? undefined : microUsd(pico),
        repeatMicro: entry === undefined ? undefined : microUsd(repeatPico),
      }))
      return all.sort((one, other) => (other.micro ?? -1) - (one.micro ?? -1) || other.requests - one.requests)
    },
  }
}

/** The catalog's entry of a model, also where a client leaves out a provider that has it for sure. */
function entryOf(catalog: Catalog, model: string): Entry | undefined {
  const found = catalog.lookup(model)
  if (found !== undefined || model.includes('/')) return found
  return catalog.lookup(`openai/${model}`) ?? catalog.lookup(`anthropic/${model}`)
}

function estimated({ body, endpoint, model, answer }: LoggedRequest): Usage {
  const family = tokenFamily(model)
  const { inputTokens } = estimateRequest(body, endpoint, { family })
  return { inputTokens, outputTokens: answer === undefined ? 0 : estimateTokens(answer, family) }
}
