const MOST = 64

/** How many turns sessions have, from those that ended: tells how many are still ahead of one. */
export class SessionLengths {
  readonly #counts = new Float64Array(MOST + 1)
  readonly #prior: number
  readonly #weight: number

  /** `prior` turns are expected of a session as long as nothing was seen; `weight` is how many sessions that belief counts as. */
  constructor(prior: number, weight = 8) {
    this.#prior = prior
    this.#weight = weight
  }

  /** One that ended after so many turns, whole and from 1. */
  add(turns: number): void {
    const at = Math.min(MOST, Math.max(1, turns))
    this.#counts[at] = (this.#counts[at] as number) + 1
    if ((this.#counts[at] as number) < 1_000) return
    // Halved, so that what is known follows what is asked.
    for (let index = 0; index <= MOST; index++) this.#counts[index] = (this.#counts[index] as number) / 2
  }

  /** Turns expected from the `turn`th on, itself included; at least 1. */
  ahead(turn: number): number {
    let sessions = this.#weight
    let turns = this.#weight * Math.max(1, this.#prior - turn + 1)
    for (let length = Math.max(1, turn); length <= MOST; length++) {
      const count = this.#counts[length] as number
      sessions += count
      turns += count * (length - turn + 1)
    }
    return Math.max(1, turns / sessions)
  }
}
