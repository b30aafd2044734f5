import { createHash } from 'node:crypto'
import type { Clock, FreshAnswer } from '@switchyard/contract'
import type { WrongHit } from '../events.ts'
import type { Judge } from '../judge/judge.ts'
import { lane } from '../own-calls/lane.ts'
import { ignore, timed } from '../own-calls/timed.ts'
import { labelOf } from '../policy/label.ts'
import type { Ranked } from '../policy/ranking.ts'
import type { Fleet } from './fleet.ts'
import type { NamedGroup } from './groups.ts'
import type { IndexRoom } from './index-room.ts'
import type { Looked } from './looked.ts'
import { encodePayload } from './payload.ts'
import type { Populations } from './populations.ts'

/** What is done with fresh answers, in the background: indexed at once, labelled when the judge has time. */
export interface Learning {
  take(looked: Looked, fresh: FreshAnswer): void
  /** Takes entries out of the index in the background. */
  forget(where: string, ids: readonly string[]): void
  /** What labels are short of room, in [0, 1]. */
  filled(): number
  /** Resolves once nothing is under way. */
  close(): Promise<void>
}

export interface LearningParts {
  readonly room: IndexRoom
  readonly judge: Judge
  readonly populations: Populations
  readonly fleet: Fleet | undefined
  readonly clock: Pick<Clock, 'now' | 'schedule'>
  readonly closing: AbortSignal
  readonly wrong: (hit: Omit<WrongHit, 'plugin'>) => void
}

const WRITES = 32
const WRITES_WAITING = 1_000
const LABELS = 8
const LABELS_WAITING = 256
const ANSWER_MS = 2_000

/** The background of a level. */
export function learning({ room, judge, populations, fleet, clock, closing, wrong }: LearningParts): Learning {
  const writes = lane(WRITES, WRITES_WAITING)
  const labels = lane(LABELS, LABELS_WAITING)

  const write = async (looked: Looked, fresh: FreshAnswer, join?: NamedGroup): Promise<void> => {
    const { text } = looked.asked
    const group = join?.id ?? groupName(looked.where, fresh.key)
    const payload = encodePayload({ text, group, founder: join?.founder.text ?? text })
    if (payload === undefined || fresh.expiresAt <= clock.now()) return
    const entry = { id: fresh.key, vector: await looked.vector, expiresAt: fresh.expiresAt, payload }
    await (join === undefined ? room.found(looked.where, entry) : room.join(looked.where, entry))
  }

  const forget = (where: string, ids: readonly string[]): void => {
    writes.push(() => room.remove(where, ids))
  }

  /** Whether the answer of a stored question would have done; undefined where that cannot be told. */
  const compared = async (looked: Looked, fresh: FreshAnswer, { id, question }: Ranked): Promise<boolean | undefined> => {
    const key = String(id)
    const limit = { clock, ms: ANSWER_MS, what: 'a stored answer', signal: closing }
    const stored = await timed(() => looked.question.answerOf(key), limit)
    if (stored === undefined) {
      forget(looked.where, [key])
      return undefined
    }
    const pair = { asked: looked.asked.text, fresh: fresh.answer, storedQuestion: question.text, stored }
    return judge.says(pair, looked.question)
  }

  const label = async (looked: Looked, fresh: FreshAnswer, candidate: Ranked<NamedGroup>): Promise<void> => {
    const { population, where } = looked
    const verdict = looked.verdict as NonNullable<typeof looked.verdict>
    const right = await compared(looked, fresh, candidate).catch(ignore)
    if (typeof right !== 'boolean') {
      population.counts.dropped += 1
      return
    }
    const { join, remove } = population.learn(verdict, right)
    populations.learnt(population, true)
    fleet?.tell(population.name, candidate.group.id, labelOf({ ...verdict, candidate }, right))
    if (remove !== undefined) {
      population.counts.repeats -= 1
      const key = String(remove.id)
      forget(where, [key])
      const { partition } = looked.question
      const { similarity } = candidate
      const { probability } = verdict
      wrong({ partition, population: population.name, key, foundBy: 'audit', similarity, probability })
    }
    let group = join
    if (!right && !verdict.serve && verdict.next !== undefined)
      group = (await compared(looked, fresh, verdict.next).catch(ignore)) === true ? verdict.next.group : undefined
    if (group === undefined) return
    // A hit was counted as one when it was served.
    if (!verdict.serve) population.counts.repeats += 1
    await write(looked, fresh, group)
  }

  return {
    forget,
    filled: () => labels.filled(),
    take(looked, fresh) {
      const { verdict, population } = looked
      const candidate = verdict?.ask === undefined ? undefined : verdict.candidate
      const isItself = verdict?.candidate?.id === fresh.key
      if (isItself) population.counts.repeats += 1
      let done: () => void = ignore
      const written = new Promise<void>((resolve) => {
        done = resolve
      })
      if (!writes.push(() => write(looked, fresh).finally(done))) done()
      // Its stored answer is the fresh one by now: they would be compared with each other.
      if (candidate === undefined || isItself) return
      if (!labels.push(async () => written.then(() => label(looked, fresh, candidate)))) population.counts.dropped += 1
    },
    async close() {
      await Promise.all([writes.close(), labels.close()])
    },
  }
}

/** The name of the group that an entry founds. */
export function groupName(where: string, key: string): string {
  return createHash('sha256').update(`${where}\n${key}`).digest('base64url').slice(0, 22)
}
