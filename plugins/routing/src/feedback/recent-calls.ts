/** What is remembered of a call, to label it when feedback comes. No content. */
export interface RecentCall {
  readonly tenant: string
  readonly route: string | undefined
  readonly taskClass: string
  readonly arm: string | undefined
  /** Model that answered; of a cascade's cheap calls the last. */
  readonly model: string
}

/** Calls of late, by tenant and id, since clients may choose ids: bounded, the oldest forgotten first. */
export class RecentCalls {
  readonly #calls = new Map<string, RecentCall>()
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  note(id: string, call: RecentCall): void {
    if (this.#most === 0) return
    const key = keyOf(call.tenant, id)
    this.#calls.delete(key)
    if (this.#calls.size >= this.#most) this.#calls.delete(this.#calls.keys().next().value as string)
    this.#calls.set(key, call)
  }

  get(tenant: string, id: string): RecentCall | undefined {
    return this.#calls.get(keyOf(tenant, id))
  }
}

/** The length keeps two pairs from meeting in one text. */
function keyOf(tenant: string, id: string): string {
  return `${tenant.length}:${tenant}${id}`
}
