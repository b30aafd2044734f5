import { seeded, shuffled } from '../../src/evaluate/index.ts'
import { keyOf, type Node } from './level.ts'

const THINGS = 'card invoice password account parcel flight'.split(' ')
const DEEDS = 'cancel find renew explain'.split(' ')
const BEFORE = 'how do i,please,can you help me to,i would like to,what is the way to,tell me how to'.split(',')
const AFTER = 'for me,quickly,this week,in the app,on the site,from home,with a friend,at work'.split(',')

/** A request, and what its answer is about. */
export interface Request {
  readonly text: string
  readonly about: string
}

/** Requests of 24 intents, half of them an intent's first text verbatim, the rest worded anew. */
export function halfCanned(count: number, seed: number): readonly Request[] {
  const random = seeded(seed)
  const intents = THINGS.flatMap((thing) =>
    DEEDS.map((deed) => ({
      about: `${deed} ${thing}`,
      texts: shuffled(
        BEFORE.flatMap((before) => AFTER.map((after) => `${before} ${deed} my ${thing} ${after}`)),
        random,
      ),
      next: 1,
    })),
  )
  return Array.from({ length: count }, () => {
    const intent = intents[Math.floor(random() * intents.length)] as (typeof intents)[number]
    const isCanned = random() < 0.5
    const at = isCanned ? 0 : intent.next++
    const text = intent.texts[at] ?? `${intent.texts[at % intent.texts.length]} ${at}`
    return { text, about: intent.about }
  })
}

/** What traffic came to. */
export interface Outcome {
  exact: number
  hits: number
  wrong: number
  audits: number
}

/** The answer that upstream gives; `varied` words it otherwise each time. */
export const answerTo = ({ about }: Request, at: number, varied: boolean): string =>
  `About ${about}, this is what to do.${varied ? ` (${at})` : ''}`

/** What an answer is about. */
export const aboutOf = (answer: string): string => /^About (.*), this/.exec(answer)?.[1] ?? ''

/** Sends requests through an exact level and the level under test, as the cache policy does. */
export async function send(
  nodes: readonly Node[],
  requests: readonly Request[],
  { varied = false, from = 0 }: { readonly varied?: boolean; readonly from?: number } = {},
): Promise<Outcome> {
  const outcome: Outcome = { exact: 0, hits: 0, wrong: 0, audits: 0 }
  for (const [at, request] of requests.entries()) {
    const node = nodes[at % nodes.length] as Node
    const key = keyOf(node.question(request.text))
    const kept = node.answers.get(key)
    if (kept !== undefined) {
      node.level.counted('acme/support')
      outcome.exact += 1
      if (aboutOf(kept) !== request.about) outcome.wrong += 1
      continue
    }
    const finding = await node.ask(request.text, answerTo(request, at + from, varied))
    if (finding.outcome !== 'hit') continue
    outcome.hits += 1
    if (finding.audit) outcome.audits += 1
    if (aboutOf(node.answers.get(finding.key as string) ?? '') !== request.about) outcome.wrong += 1
  }
  return outcome
}
