import {
  type Call,
  type ModelReply,
  type Next,
  quietTrace,
  type SemanticCache,
  type SemanticFinding,
  type SemanticQuestion,
  semanticCache,
} from '@switchyard/contract'
import {
  type RecordingLogger,
  recordingLogger,
  type StartedPlugin,
  type StartPluginOptions,
  startPlugin,
  type VirtualClock,
  virtualClock,
} from '@switchyard/testkit'
import { seeded } from '../../src/evaluate/index.ts'
import { type CacheSemanticInput, cacheSemantic, KNOWN_PAIRS } from '../../src/index.ts'
import { type FakeIndex, fakeIndex } from './fakes.ts'

/** A node with the level, and what stands around it. */
export interface Node {
  readonly level: SemanticCache
  readonly plugin: StartedPlugin
  readonly clock: VirtualClock
  readonly index: FakeIndex
  readonly log: RecordingLogger
  /** Answers by key: what the exact level holds. */
  readonly answers: Map<string, string>
  /** Calls that came through `next`. */
  readonly calls: Call<'model.invoke'>[]
  /** How such calls are answered. */
  next: (call: Call<'model.invoke'>) => Promise<ModelReply> | ModelReply
  question(text: string, over?: Partial<SemanticQuestion>): SemanticQuestion
  /** Looks a text up, and settles with this answer where there is no hit, or an audit. */
  ask(text: string, answer: string, over?: Partial<SemanticQuestion>): Promise<SemanticFinding>
  /** Lets the background come to rest. */
  rest(): Promise<void>
}

export interface NodeOptions {
  readonly options?: CacheSemanticInput
  readonly deps?: StartPluginOptions['deps']
  readonly clock?: VirtualClock
  readonly index?: FakeIndex
  readonly answers?: Map<string, string>
  readonly seed?: number
  readonly random?: () => number
}

export const HOUR = 3_600_000

/** What `many(model)` gives: one instance. */
export function anyProvider(models: 'any' | readonly string[] = 'any'): ReadonlyMap<string, unknown> {
  return new Map([['gateway', { capabilities: { endpoints: [], streaming: false, models, listing: false, cancels: false } }]])
}

export async function startNode(given: NodeOptions = {}): Promise<Node> {
  const clock = given.clock ?? virtualClock()
  const index = given.index ?? fakeIndex(() => clock.now())
  const log = recordingLogger()
  const answers = given.answers ?? new Map<string, string>()
  const plugin = await startPlugin(cacheSemantic(given.options ?? {}), {
    clock,
    log,
    random: given.random ?? seeded(given.seed ?? 1),
    deps: { vectors: index, providers: anyProvider(), ...given.deps },
  })
  const level = plugin.port(semanticCache)
  const calls: Call<'model.invoke'>[] = []
  const next: Next<'model.invoke'> = async (call) => {
    calls.push(call)
    return node.next(call)
  }
  const node: Node = {
    level,
    plugin,
    clock,
    index,
    log,
    answers,
    calls,
    next: () => {
      throw new Error('nobody answers calls in this test')
    },
    question: (text, over = {}) => ({
      call: callOf(text),
      partition: 'p1',
      population: 'acme/support',
      text,
      earlierTurns: false,
      shared: true,
      next,
      answerOf: async (key) => answers.get(key),
      ...over,
    }),
    async ask(text, answer, over) {
      const question = node.question(text, over)
      const finding = await level.find(question)
      if (finding.outcome !== 'hit' || finding.audit) {
        const key = keyOf(question)
        answers.set(key, answer)
        finding.settle({ key, answer, expiresAt: clock.now() + HOUR })
        await node.rest()
      }
      return finding
    },
    rest: () => clock.advance(0),
  }
  return node
}

/** The key that the exact level has for a question. */
export const keyOf = ({ partition, text }: Pick<SemanticQuestion, 'partition' | 'text'>): string => `${partition}|${text}`

export function callOf(text: string, tenant = 'acme'): Call<'model.invoke'> {
  return {
    id: 'call-1',
    operation: 'model.invoke',
    target: 'routing',
    request: {
      endpoint: 'chat/completions',
      model: 'support',
      body: { messages: [{ role: 'user', content: text }] },
      stream: false,
      headers: { authorization: 'Bearer of-the-client' },
    },
    principal: { tenant, keyId: 'key-1', roles: [] },
    signal: new AbortController().signal,
    deadline: undefined,
    attempt: 1,
    idempotent: true,
    attributes: { route: 'support', region: 'eu', inputTokens: 9, cacheTags: 'a,b' },
    trace: quietTrace(),
  }
}

/** A whole reply of JSON. */
export function replyOf(body: unknown): ModelReply {
  const bytes = new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body))
  const usage = { inputTokens: 1, outputTokens: 1 }
  return {
    status: 200,
    headers: {},
    body: bytes,
    ended: Promise.resolve({ outcome: 'complete', usage, usageSource: 'reported' }),
  }
}

/** A chat completion that says this. */
export const said = (content: unknown): ModelReply => replyOf({ choices: [{ message: { role: 'assistant', content } }] })

interface Judged {
  readonly asked: string
  readonly fresh: string
  readonly storedQuestion: string
  readonly stored: string
}

/** What a judge was given in a call. */
export function judgedIn(call: Call<'model.invoke'>): Judged {
  const messages = call.request.body.messages as readonly { readonly content: string }[]
  return JSON.parse((messages[1] as { readonly content: string }).content) as Judged
}

/** A judge that knows the known pairs, and of others says what `truth` does. */
export const judgeBy =
  (truth: (pair: Judged) => unknown) =>
  (call: Call<'model.invoke'>): ModelReply => {
    const pair = judgedIn(call)
    const known = KNOWN_PAIRS.find(({ pair: { asked } }) => asked === pair.asked)?.truth
    const right = known ?? truth(pair)
    return said(typeof right === 'boolean' ? (right ? 'yes' : 'no') : right)
  }
