/** Calls are remembered for one to two of these. */
const KEPT_MS = 1_000
/** Above an even share by less than a fifth is chance. */
const TOLERANCE = 1.2

/** Who asks for how much lately. Costs nothing until somebody counts. */
export class TenantShares {
  private present = new Map<string, number>()
  private former = new Map<string, number>()
  private since = Number.NEGATIVE_INFINITY
  private total = 0
  private formerTotal = 0

  count(tenant: string, now: number): void {
    this.turn(now)
    this.present.set(tenant, (this.present.get(tenant) ?? 0) + 1)
    this.total++
  }

  /** Whether a tenant asked for more than its share of all calls, which is by `weightOf` among those that asked. */
  isAbove(tenant: string, weightOf: (tenant: string) => number, now: number): boolean {
    this.turn(now)
    const asked = this.of(tenant)
    if (asked === 0) return false
    const weights = this.weights(weightOf)
    return asked / weightOf(tenant) > (TOLERANCE * (this.total + this.formerTotal)) / weights
  }

  private weights(weightOf: (tenant: string) => number): number {
    let sum = 0
    for (const tenant of this.present.keys()) sum += weightOf(tenant)
    for (const tenant of this.former.keys()) if (!this.present.has(tenant)) sum += weightOf(tenant)
    return sum
  }

  private of(tenant: string): number {
    return (this.present.get(tenant) ?? 0) + (this.former.get(tenant) ?? 0)
  }

  private turn(now: number): void {
    const passed = now - this.since
    if (passed >= 0 && passed < KEPT_MS) return
    const kept = passed >= 0 && passed < 2 * KEPT_MS
    this.former = kept ? this.present : new Map()
    this.formerTotal = kept ? this.total : 0
    this.present = new Map()
    this.total = 0
    this.since = now
  }
}
