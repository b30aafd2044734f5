import type { Kept } from '../keyed.ts'
import { SlidingWindow } from '../window.ts'

/** How long what was paid in, and what was taken out, is remembered. */
const LIFE_MS = 10_000
const SLICES = 10

const FIRST = 0
const RETRY = 1

/** What a budget is made of; @see RetrySettings */
export interface BudgetTerms {
  readonly budgetRatio: number
  readonly budgetFloor: number
}

/**
 * How many retries may be sent: each first attempt pays in `budgetRatio` tokens, which live 10 s; a retry takes one; `budgetFloor`
 * tokens a second are always there. So retries of ten seconds are at most that share of its first attempts, and the floor.
 */
export class RetryBudget implements Kept {
  used = false
  private readonly window = new SlidingWindow(LIFE_MS, SLICES, 2)
  private readonly terms: BudgetTerms

  constructor(terms: BudgetTerms) {
    this.terms = terms
  }

  /** A first attempt pays in. */
  pay(now: number): void {
    this.window.add(FIRST, now)
  }

  /** Tokens that are left, a fraction included. */
  balance(now: number): number {
    const { budgetRatio, budgetFloor } = this.terms
    const paid = this.window.count(FIRST, now) * budgetRatio + (budgetFloor * LIFE_MS) / 1_000
    return paid - this.window.count(RETRY, now)
  }

  take(now: number): void {
    this.window.add(RETRY, now)
  }

  idle(now: number): boolean {
    return this.window.count(RETRY, now) === 0
  }
}
