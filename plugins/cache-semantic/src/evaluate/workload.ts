import type { Labelled } from './prepared.ts'

/** A stream of requests as closed domains send them. */
export interface WorkloadOptions {
  readonly requests: number
  /** Exponent of the Zipf law over the intents: 1.0 to 1.2. */
  readonly zipf: number
  /** Share that is an intent's first text verbatim: buttons, canned prompts, retries. */
  readonly canned: number
  /** Share of questions that nobody asks twice, each its own answer. */
  readonly fresh: number
  /** From half-way on the answers of this share of the intents are others than before. */
  readonly drift?: number
  readonly random: () => number
}

/**
 * Builds a stream from pools of paraphrases by intent and questions that stand alone. The rest is an intent's next unused text; when a pool
 * is dry, one of its texts with a greeting, a politeness or two letters swapped.
 */
export function workload(
  pools: ReadonlyMap<string, readonly string[]>,
  alone: readonly string[],
  options: WorkloadOptions,
): readonly Labelled[] {
  const { requests, zipf, canned, fresh, drift = 0, random } = options
  const intents = [...pools]
  const pick = zipfOver(intents.length, zipf, random)
  const used = new Map<string, number>()
  const drifting = new Set(intents.filter(() => random() < drift).map(([label]) => label))
  let lone = 0
  return Array.from({ length: requests }, (_, at) => {
    const kind = random()
    if (kind < fresh && lone < alone.length) {
      lone += 1
      return { text: alone[lone - 1] as string, label: `alone ${lone}` }
    }
    const [intent, texts] = intents[pick()] as (typeof intents)[number]
    const label = drifting.has(intent) && at >= requests / 2 ? `${intent}, changed` : intent
    if (kind < fresh + canned) return { text: texts[0] as string, label }
    const next = (used.get(intent) ?? 0) + 1
    used.set(intent, next)
    const text = texts[next]
    return { text: text ?? varied(texts[Math.floor(random() * texts.length)] as string, random), label }
  })
}

function zipfOver(count: number, exponent: number, random: () => number): () => number {
  const sums: number[] = []
  let sum = 0
  for (let rank = 1; rank <= count; rank += 1) {
    sum += rank ** -exponent
    sums.push(sum)
  }
  return () => {
    const at = random() * sum
    const found = sums.findIndex((upTo) => upTo > at)
    return found < 0 ? count - 1 : found
  }
}

const BEFORE: readonly string[] = ['hello, ', 'hi there, ', 'please ', 'hey ', 'quick question: ']
const AFTER: readonly string[] = [' please', ' thanks', ' thank you', ' asap', ' if you can']

function varied(text: string, random: () => number): string {
  const kind = random()
  if (kind < 0.35) return `${BEFORE[Math.floor(random() * BEFORE.length)]}${text}`
  if (kind < 0.7) return `${text}${AFTER[Math.floor(random() * AFTER.length)]}`
  const at = Math.floor(random() * (text.length - 1))
  return `${text.slice(0, at)}${text.charAt(at + 1)}${text.charAt(at)}${text.slice(at + 2)}`
}
