import type { AnswerGroup, Ranked } from './ranking.ts'

/** What the neighbours say of one group. */
export interface Standing<G extends AnswerGroup = AnswerGroup> {
  readonly group: G
  /** Its members among the neighbours, nearest first. */
  readonly members: readonly Ranked<G>[]
  /** Blended similarity of the nearest of another group. */
  readonly runnerUp: number
  /** Members by all neighbours, plain and by weight; in [0, 1]. */
  readonly share: number
  readonly weightedShare: number
  /** The same by weight over all that were retrieved, and the mean similarity of its three nearest there. */
  readonly wideShare: number
  readonly support: number
}

const VOTERS = 8
const POWER = 8
/** Where all neighbours are of one group, its rival is taken to be this much beyond the farthest. */
const BEYOND = 0.03

/** The groups among the eight nearest, by the sum of their members' similarity to the power of eight; most first. */
export function standingsOf<G extends AnswerGroup>(ranked: readonly Ranked<G>[]): readonly Standing<G>[] {
  const near = ranked.slice(0, VOTERS)
  const farthest = near.at(-1)
  if (farthest === undefined) return []
  const groups = new Map<G, { readonly members: Ranked<G>[]; sum: number; wide: number; nearest: number[] }>()
  let all = 0
  let allWide = 0
  for (let at = 0; at < ranked.length; at += 1) {
    const one = ranked[at] as Ranked<G>
    const weight = one.blended ** POWER
    let known = groups.get(one.group)
    if (known === undefined) {
      if (at >= VOTERS) {
        allWide += weight
        continue
      }
      known = { members: [], sum: 0, wide: 0, nearest: [] }
      groups.set(one.group, known)
    }
    known.wide += weight
    allWide += weight
    if (known.nearest.length < 3) known.nearest.push(one.blended)
    if (at >= VOTERS) continue
    known.members.push(one)
    known.sum += weight
    all += weight
  }
  return [...groups]
    .sort(([, one], [, other]) => other.sum - one.sum)
    .map(([group, { members, sum, wide, nearest }]) => ({
      group,
      members,
      runnerUp: near.find((one) => one.group !== group)?.blended ?? farthest.blended - BEYOND,
      share: members.length / near.length,
      weightedShare: sum / all,
      wideShare: wide / allWide,
      support: nearest.reduce((total, value) => total + value, 0) / 3,
    }))
}
