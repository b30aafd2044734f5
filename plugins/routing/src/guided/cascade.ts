import { type Call, type Clock, type ModelEnding, type ModelReply, type Next, SwitchyardError } from '@switchyard/contract'
import type { Ranked } from '../strategies/strategy.ts'
import type { CascadePlan } from './arm-plan.ts'
import { answerOf } from './reply-answer.ts'

/** One model's answer in a cascade. */
interface Answer {
  readonly step: number
  readonly reply: ModelReply | undefined
  readonly ending: ModelEnding | undefined
  /** Canonical; undefined where no check may accept it. */
  readonly word: string | undefined
  readonly failed?: string
}

/** What a cascade came to. */
export interface CascadeResult {
  /** The accepted reply; undefined where the strong model has to answer. */
  readonly accepted: { readonly reply: ModelReply; readonly step: number; readonly word: string } | undefined
  /** For the trace: every model that was asked, with what it used. */
  readonly asked: readonly Readonly<Record<string, unknown>>[]
}

export interface CascadeParts {
  readonly clock: Pick<Clock, 'schedule'>
  /** How long the cheap models may take together, in ms. */
  readonly timeoutMs: number
  /** The call as it goes to one of the steps, with that signal; `main` is the copy whose reply would be handed out. */
  readonly copyFor: (step: Ranked, signal: AbortSignal, main: boolean) => Call<'model.invoke'>
  /** Exact cost of what was used, in pico-USD. */
  readonly costOf: (step: Ranked, ending: ModelEnding) => number | undefined
}

type Verdict = number | 'refused' | undefined

/**
 * Asks the cheap models of a cascade together and checks what they say. What is not needed any more is aborted. Rejects only where the
 * caller left.
 */
export async function runCascade(
  { clock, timeoutMs, copyFor, costOf }: CascadeParts,
  { check, steps, best, comparison }: CascadePlan,
  signal: AbortSignal,
  next: Next<'model.invoke'>,
): Promise<CascadeResult> {
  const answers: Answer[] = []
  const controllers = new Map<number, AbortController>()
  const leave = (): void => abortAll(signal.reason)
  signal.throwIfAborted()
  signal.addEventListener('abort', leave)
  const cancel = clock.schedule(timeoutMs, () => abortAll(superfluous('it took too long')))
  try {
    const first = check === 'majority' ? [0, 1] : steps.map((_, at) => at)
    let verdict = await judge(first)
    if (verdict === undefined && check === 'majority') verdict = await judge([2])
    signal.throwIfAborted()
    const accepted = typeof verdict === 'number' ? answers.find(({ step }) => step === verdict) : undefined
    return {
      accepted:
        accepted?.reply === undefined || accepted.word === undefined
          ? undefined
          : { reply: accepted.reply, step: accepted.step, word: accepted.word },
      asked: [...controllers.keys()].map(noteOf),
    }
  } finally {
    cancel()
    signal.removeEventListener('abort', leave)
    abortAll(superfluous('its answer is not needed any more'))
  }

  function abortAll(reason: unknown): void {
    for (const [step, controller] of controllers) if (!answers.some((answer) => answer.step === step)) controller.abort(reason)
  }

  /** Resolves as soon as the answers so far decide, or all have come. */
  function judge(asked: readonly number[]): Promise<Verdict> {
    return new Promise((resolve) => {
      let left = asked.length
      for (const step of asked)
        void ask(step).then((answer) => {
          answers.push(answer)
          left -= 1
          const verdict = verdictOf(check, best, steps.length, answers, left === 0)
          if (verdict !== undefined || left === 0) resolve(verdict)
        })
    })
  }

  async function ask(step: number): Promise<Answer> {
    const controller = new AbortController()
    controllers.set(step, controller)
    try {
      const reply = await next(copyFor(steps[step] as Ranked, controller.signal, step === best[0]))
      if (!(reply.body instanceof Uint8Array)) {
        controller.abort(superfluous('it streams where a whole reply was asked for'))
        return { step, reply: undefined, ending: undefined, word: undefined, failed: 'streamed' }
      }
      const ending = await reply.ended
      return { step, reply, ending, word: answerOf(reply, ending, comparison) }
    } catch (error) {
      const failed = SwitchyardError.is(error) ? error.code : 'INTERNAL'
      return { step, reply: undefined, ending: undefined, word: undefined, failed }
    }
  }

  function noteOf(step: number): Readonly<Record<string, unknown>> {
    const candidate = steps[step] as Ranked
    const answer = answers.find((one) => one.step === step)
    const usage = answer?.ending?.usage
    return {
      deployment: candidate.target.deployment,
      outcome: answer === undefined ? 'aborted' : (answer.failed ?? (answer.word === undefined ? 'no-answer' : 'answered')),
      ...(usage !== undefined && { inputTokens: usage.inputTokens, outputTokens: usage.outputTokens }),
      ...(answer?.ending !== undefined && { picoUsd: costOf(candidate, answer.ending) ?? null }),
    }
  }
}

/** The step whose reply is accepted, `refused`, or undefined while that is open. `all`: no more answers come in this round. */
function verdictOf(
  check: CascadePlan['check'],
  best: readonly number[],
  steps: number,
  answers: readonly Answer[],
  all: boolean,
): Verdict {
  const wordOf = (step: number): string | undefined => answers.find((answer) => answer.step === step)?.word
  if (check === 'schema') {
    for (const step of best) {
      if (wordOf(step) !== undefined) return step
      // A better one may still answer.
      if (!answers.some((answer) => answer.step === step)) return undefined
    }
    return all ? 'refused' : undefined
  }
  if (check === 'agree') {
    const word = answers[0]?.word
    if (answers.some((answer) => answer.word === undefined || answer.word !== word)) return 'refused'
    return answers.length === steps ? best[0] : undefined
  }
  if (!all) return undefined
  const third = answers.find(({ step }) => step === 2)
  if (third === undefined) {
    const word = wordOf(0)
    return word !== undefined && word === wordOf(1) ? best.find((step) => step < 2) : undefined
  }
  if (third.word === undefined || (third.word !== wordOf(0) && third.word !== wordOf(1))) return 'refused'
  return best.find((step) => wordOf(step) === third.word)
}

function superfluous(why: string): SwitchyardError {
  return new SwitchyardError('ABORTED', `a step of a cascade was given up: ${why}`, {
    retryable: false,
    details: { cascade: true },
  })
}
