import { type Evidence, EvidenceWindow } from './cut.ts'

/** Labels that tell how things are lately, and the least share of right ones among them that is worth looking on. */
const LATELY = 250
const LEAST_RIGHT = 0.02

/** What labels said of look-ups: the evidence for the cut, what it lacks, and how things are lately. */
export class TrackRecord {
  readonly #size: number
  #window: EvidenceWindow
  #right = 1
  #lost = 0
  #lostFrom = Number.POSITIVE_INFINITY

  constructor(size: number, saved: readonly Evidence[] = []) {
    this.#size = size
    this.#window = new EvidenceWindow(size, saved)
    for (const { right } of saved) this.#note(right)
  }

  /** Oldest first. */
  get oldestFirst(): readonly Evidence[] {
    return this.#window.oldestFirst
  }

  /** Hardly any label of late was right. Some thousand come before it, since it begins with hope. */
  get isHopeless(): boolean {
    return this.#right < LEAST_RIGHT
  }

  /** Takes in a label; one as likely as what was lost makes up for as much of that as its own weight. */
  add({ score, right, weight }: Evidence): void {
    const made = score >= this.#lostFrom ? Math.min(this.#lost, weight) : 0
    this.#lost -= made
    if (this.#lost === 0) this.#lostFrom = Number.POSITIVE_INFINITY
    this.#window.add({ score, right, weight: weight + made })
    this.#note(right)
  }

  /** A label of such a weight and score did not come. */
  lose(weight: number, score: number): void {
    this.#lost += weight
    this.#lostFrom = Math.min(this.#lostFrom, score)
  }

  /** Drops the evidence. */
  forget(): void {
    this.#window = new EvidenceWindow(this.#size)
  }

  /** As `cutOf`: what was lost may be wrong at once. */
  cut(allowed: number): number | undefined {
    return this.#window.cut(allowed, this.#lost)
  }

  #note(right: boolean): void {
    this.#right += (Number(right) - this.#right) / LATELY
  }
}
