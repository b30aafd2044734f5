import { featuresOf } from './features.ts'
import { type Label, labelOf } from './label.ts'
import { type Example, fitInSlices, type Scorer, score } from './logistic.ts'
import { type PairEvidence, pairEvidence } from './pair-evidence.ts'
import type { Question } from './question.ts'
import { type AnswerGroup, type Neighbour, type Ranked, rank } from './ranking.ts'
import {
  evidenceOf,
  examplesOf,
  isOfFeatures,
  type SavedPolicy,
  STATE_VERSION,
  savedEvidence,
  savedExamples,
  savedScorer,
  scorerOf,
  textInSlices,
} from './saved-policy.ts'
import { type TermWeights, termWeights } from './term-weights.ts'
import { TrackRecord } from './track-record.ts'
import { type Consequence, NOTHING, type Verdict } from './verdict.ts'
import { type Veto, vetoOf } from './vetoes.ts'
import { type Standing, standingsOf } from './votes.ts'

/** How one policy serves. */
export interface AuditedOptions {
  /** Share of all requests that may be answered wrongly, in [0, 1); 0 = nothing is served. */
  readonly epsilon: number
  /** Least share of hits that is audited, in (0, 1]. */
  readonly auditFloor: number
  /** Look-ups whose truth is remembered for the cut. */
  readonly window: number
  /** Below this similarity, by both views, there is no candidate; cosine, in [-1, 1]. */
  readonly minSimilarity: number
  /** Share of misses that a judge is asked about, in (0, 1]. */
  readonly judgeShare: number
  /** Without any label for so long, nothing is served until there is evidence again. */
  readonly evidenceMaxAgeMs: number
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** Milliseconds since any fixed moment. */
  readonly now: () => number
}

const FIRST_FIT = 150
const FIT_EACH = 50
const STEADY = 600
const FIT_EACH_STEADY = 150
const MOST_EXAMPLES = 5_000
const CUT_EACH = 25
const RIDGE = 2
const MOST_TERMS = 50_000
const EARLY_AUDITS = 30
const DOUBT = 1.5
const MOST_GROUPS = 5
/** Equal requests, which exact levels answer for nothing, buy look-ups no more than so many times epsilon. */
const MOST_TIMES = 5

/**
 * The audited nearest-neighbour policy of one partition class: serves the stored answer of the likeliest group while the measured upper
 * bound of wrong answers stays within `epsilon`, and keeps measuring it. Until there is evidence it serves nothing (shadow mode).
 * Bounded: a window of evidence, five thousand examples, fifty thousand terms.
 */
export class AuditedPolicy {
  readonly #options: AuditedOptions
  readonly #weights: TermWeights
  readonly #pairs: PairEvidence
  readonly #examples: Example[] = []
  #record: TrackRecord
  #scorer: Scorer | undefined
  #fit: Generator<undefined, Scorer> | undefined
  #cut: number | undefined
  #labels = 0
  #nextFit = FIRST_FIT
  #requests = 0
  #lookups = 0
  #sinceCut = 0
  #audits = 0
  #lastLabelAt: number

  /**
   * `saved` is what `save` gave. Of another version, or of other features, it is not read; where its last label is older than
   * `evidenceMaxAgeMs`, what was learnt is kept and the evidence is not: nothing is served until there is some again.
   */
  constructor(options: AuditedOptions, saved?: SavedPolicy) {
    this.#options = options
    const known = saved?.version === STATE_VERSION && isOfFeatures(saved) ? saved : undefined
    this.#lastLabelAt = known?.lastLabelAt ?? options.now()
    this.#weights = termWeights(MOST_TERMS, known?.terms)
    this.#pairs = pairEvidence(MOST_TERMS, known?.pairs)
    this.#record = new TrackRecord(options.window)
    if (known === undefined) return
    this.#scorer = scorerOf(known)
    this.#examples.push(...examplesOf(known))
    this.#labels = known.labels
    this.#nextFit = Math.max(FIRST_FIT, known.labels + FIT_EACH)
    this.#requests = known.requests
    this.#lookups = known.lookups
    if (this.#stale()) return
    this.#audits = known.audits
    this.#record = new TrackRecord(options.window, evidenceOf(known))
    if (known.lookups > 0) this.#recut()
  }

  /** Lowest probability that is served now; undefined in shadow mode. */
  get cut(): number | undefined {
    return this.#cut
  }

  /** Labels taken in so far, those of before a restart and of other nodes among them. */
  get labels(): number {
    return this.#labels
  }

  /**
   * Nothing is served, and hardly any label of late was right, as where a model words each answer anew and nobody judges: a sample of the
   * look-ups shows when that changes.
   */
  get isVain(): boolean {
    return this.#cut === undefined && this.#record.isHopeless
  }

  /** Says that a question was not looked up for its being in vain: it counts as one of those that may not be answered wrongly. */
  spared(): void {
    this.#lookups += 1
  }

  /** Counts a request of the route, whether or not it is looked up. */
  request(): void {
    this.#requests += 1
  }

  /** Counts the words of a question that was asked. */
  observe(question: Question): void {
    this.#weights.add(question.terms)
  }

  /**
   * Judges one look-up; undefined where no neighbour is near enough. `neighbours`: the nearest 32 by the encoder. `epsilon` tightens the
   * bound for this call; it never widens it. `judgeShare`: how likely a miss is asked about this time, in [0, 1].
   */
  decide<G extends AnswerGroup>(
    question: Question,
    neighbours: readonly Neighbour<G>[],
    epsilon: number = this.#options.epsilon,
    judgeShare: number = this.#options.judgeShare,
  ): Verdict<G> | undefined {
    const { minSimilarity, random } = this.#options
    const standings = standingsOf(rank(question, neighbours, this.#weights))
      .filter(({ members }) => (members[0] as Ranked<G>).blended >= minSimilarity)
      .slice(0, MOST_GROUPS)
    if (standings.length === 0) return undefined
    let veto: Veto | undefined
    const open: Judged<G>[] = []
    for (const [at, standing] of standings.entries()) {
      const kept = vetoOf(question, standing.group.founder)
      const candidate = kept === undefined ? standing.members.find((member) => !vetoOf(question, member.question)) : undefined
      if (at === 0 && candidate === undefined) veto = kept ?? vetoOf(question, (standing.members[0] as Ranked<G>).question)
      if (candidate !== undefined) open.push(this.#judged(question, candidate, standing))
    }
    const [best, second] = open.sort((one, other) => (other.probability ?? 0) - (one.probability ?? 0))
    if (best === undefined) return { ...NOTHING, question, veto }
    this.#lookups += 1
    this.#sinceCut += 1
    if (this.#sinceCut >= CUT_EACH || (this.#cut !== undefined && this.#stale())) this.#recut()
    const { candidate, features, probability } = best
    const cut = epsilon < this.#options.epsilon ? this.#record.cut(this.#allowed(epsilon)) : this.#cut
    const serve = epsilon > 0 && probability !== undefined && cut !== undefined && this.#cut !== undefined && probability >= cut
    const chance = serve ? this.#auditProbability(probability) : judgeShare
    const asked = random() < chance
    return {
      question,
      candidate,
      next: second?.candidate,
      veto,
      margin: candidate.blended - best.standing.runnerUp,
      features,
      probability,
      serve,
      ask: asked ? (serve ? 'audit' : 'judge') : undefined,
      weight: chance === 0 ? 0 : 1 / chance,
    }
  }

  /** Takes in whether the candidate's answer would have done, as the verdict asked; says what becomes of the entries. */
  learn<G extends AnswerGroup>(verdict: Verdict<G>, right: boolean): Consequence<G> {
    const { candidate, serve } = verdict
    if (candidate === undefined) return { join: undefined, remove: undefined }
    candidate.group[right ? 'good' : 'bad'] += 1
    this.learnFrom(labelOf({ ...verdict, candidate }, right))
    return { join: right ? candidate.group : undefined, remove: serve && !right ? candidate : undefined }
  }

  /**
   * Says that an audit came to nothing, and not for want of a judge: misses go on being labelled, so that hits which nobody looks at would seem
   * right. They weigh on the bound until labels of look-ups as likely have made up for them.
   */
  lost({ weight, probability = 0 }: Pick<Verdict, 'weight' | 'probability'>): void {
    this.#record.lose(weight, probability)
  }

  /** Takes in a label alone, as another node learnt it: of the same encoder and features, in any order. The group is the caller's. */
  learnFrom({ right, audit, weight, probability, features, asked, stored }: Label): void {
    if (audit) this.#audits += 1
    this.#examples.push({ features, right, weight })
    if (this.#examples.length > MOST_EXAMPLES) this.#examples.shift()
    this.#record.add({ score: probability ?? 0, right, weight })
    this.#pairs.learn(asked, stored, right, weight)
    this.#labels += 1
    this.#lastLabelAt = this.#options.now()
  }

  /** One slice of due work, of a few milliseconds at most; true while there is more to do. Call it between requests. */
  maintain(): boolean {
    if (this.#fit === undefined) {
      if (this.#labels < this.#nextFit) return false
      this.#fit = fitInSlices([...this.#examples], RIDGE, this.#scorer)
      this.#nextFit = this.#labels + (this.#labels < STEADY ? FIT_EACH : FIT_EACH_STEADY)
    }
    const { done, value } = this.#fit.next()
    if (done !== true) return true
    this.#scorer = value
    this.#fit = undefined
    return false
  }

  /** The state as plain JSON, to be given to the constructor after a restart. */
  save(): SavedPolicy {
    return {
      ...this.#counted(),
      evidence: savedEvidence(this.#record.oldestFirst),
      examples: savedExamples(this.#examples),
      terms: this.#weights.save(),
      pairs: this.#pairs.save(),
    }
  }

  /** The text of what `save` gives, made in slices of some milliseconds. */
  *saveInSlices(): Generator<undefined, string> {
    const examples = yield* textInSlices([...this.#examples], savedExamples)
    const evidence = yield* textInSlices([...this.#record.oldestFirst], savedEvidence)
    const { questions, counts } = this.#weights.save()
    const terms = yield* textInSlices(counts, (rows) => rows)
    const pairs = yield* textInSlices(this.#pairs.save(), (rows) => rows)
    const lists = `"evidence":${evidence},"examples":${examples},"terms":{"questions":${questions},"counts":${terms}},"pairs":${pairs}`
    return `${JSON.stringify(this.#counted()).slice(0, -1)},${lists}}`
  }

  #counted(): Omit<SavedPolicy, 'evidence' | 'examples' | 'terms' | 'pairs'> {
    return {
      version: STATE_VERSION,
      lastLabelAt: this.#lastLabelAt,
      labels: this.#labels,
      audits: this.#audits,
      requests: this.#requests,
      lookups: this.#lookups,
      scorer: savedScorer(this.#scorer),
    }
  }

  #judged<G extends AnswerGroup>(question: Question, candidate: Ranked<G>, standing: Standing<G>): Judged<G> {
    const features = featuresOf(question, candidate, standing, { weights: this.#weights, pairs: this.#pairs })
    const probability = this.#scorer === undefined ? undefined : score(this.#scorer, features)
    return { candidate, standing, features, probability }
  }

  #stale(): boolean {
    const now = this.#options.now()
    // A clock that was ahead makes no evidence younger than it is.
    this.#lastLabelAt = Math.min(this.#lastLabelAt, now)
    return now - this.#lastLabelAt > this.#options.evidenceMaxAgeMs
  }

  #recut(): void {
    this.#sinceCut = 0
    const { epsilon, window } = this.#options
    if (this.#stale()) this.#record.forget()
    this.#cut = this.#record.cut(this.#allowed(epsilon))
    if (this.#lookups < window) return
    this.#lookups /= 2
    this.#requests /= 2
  }

  /** The bound is on all requests, the evidence of look-ups with a candidate. */
  #allowed(epsilon: number): number {
    return epsilon * Math.min(MOST_TIMES, this.#requests / this.#lookups)
  }

  #auditProbability(probability: number): number {
    const early = EARLY_AUDITS / (this.#audits + EARLY_AUDITS)
    return Math.min(1, Math.max(this.#options.auditFloor, early) + DOUBT * (1 - probability))
  }
}

interface Judged<G extends AnswerGroup> {
  readonly candidate: Ranked<G>
  readonly standing: Standing<G>
  readonly features: Float64Array
  readonly probability: number | undefined
}
