const LEAST = 5
const MOST = 400
const MAX_KEPT = 8_192

interface Mean {
  count: number
  tokens: number
}

/** How many tokens answers have, by who answered which kind of question of whose: from live endings, in bounded space. */
export class Expectations {
  readonly #means = new Map<string, Mean>()

  /** An answer that came to its end. */
  add(model: string, taskClass: string, keyId: string, outputTokens: number): void {
    this.#add(model, outputTokens)
    this.#add(`${model}\n${taskClass}`, outputTokens)
    this.#add(`${model}\n${taskClass}\n${keyId}`, outputTokens)
  }

  /** Tokens of a middling answer, by the closest of what was seen five times; undefined before. */
  of(model: string, taskClass: string, keyId: string): number | undefined {
    return this.#mean(`${model}\n${taskClass}\n${keyId}`) ?? this.#mean(`${model}\n${taskClass}`) ?? this.#mean(model)
  }

  #add(key: string, tokens: number): void {
    const mean = this.#means.get(key)
    if (mean === undefined) {
      if (this.#means.size >= MAX_KEPT) this.#means.delete(this.#means.keys().next().value as string)
      this.#means.set(key, { count: 1, tokens })
      return
    }
    // Past so many, older answers fade, so that what is known follows what is asked.
    mean.count = Math.min(MOST, mean.count + 1)
    mean.tokens += (tokens - mean.tokens) / mean.count
  }

  #mean(key: string): number | undefined {
    const mean = this.#means.get(key)
    return mean === undefined || mean.count < LEAST ? undefined : Math.ceil(mean.tokens)
  }
}
