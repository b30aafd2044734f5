import type { Question } from '../policy/question.ts'
import type { AnswerGroup } from '../policy/ranking.ts'
import { type Lru, lru } from './lru.ts'

/** A group with the name that its members' payloads have. */
export interface NamedGroup extends AnswerGroup {
  readonly id: string
}

/** What labels said of groups, by name: from 1 and 1 where there was none. */
export interface GroupLabels {
  learn(group: string, right: boolean): void
  /** The group of that name; the same object for as long as it is used. */
  of(partition: string, group: string, founder: () => Question): NamedGroup
  /** Name, good, bad. */
  save(): readonly SavedGroup[]
}

export type SavedGroup = readonly [string, number, number]

/** Groups of one population; `objects` is shared between populations, so that its size bounds all. */
export function groupLabels(most: number, objects: Lru<NamedGroup>, saved: readonly SavedGroup[] = []): GroupLabels {
  const labels = lru<{ good: number; bad: number }>(most)
  for (const [group, good, bad] of saved) labels.set(group, { good, bad })
  const change = (group: string, which: 'good' | 'bad', to: number): void => {
    labels.set(group, { good: 1, bad: 1, ...labels.get(group), [which]: to })
  }
  return {
    learn(group, right) {
      const { good, bad } = labels.get(group) ?? NONE
      if (right) change(group, 'good', good + 1)
      else change(group, 'bad', bad + 1)
    },
    of(partition, id, founder) {
      const key = `${partition}\n${id}`
      const known = objects.get(key)
      if (known !== undefined) return known
      const group: NamedGroup = {
        id,
        founder: founder(),
        get good() {
          return (labels.get(id) ?? NONE).good
        },
        set good(to) {
          change(id, 'good', to)
        },
        get bad() {
          return (labels.get(id) ?? NONE).bad
        },
        set bad(to) {
          change(id, 'bad', to)
        },
      }
      objects.set(key, group)
      return group
    },
    save: () => [...labels.entries()].map(([group, { good, bad }]) => [group, good, bad]),
  }
}

const NONE = { good: 1, bad: 1 } as const
