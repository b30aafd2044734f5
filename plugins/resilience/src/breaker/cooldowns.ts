/** Tenants remembered for one target; above it the oldest is forgotten, and learns anew from the target itself. */
const MOST = 1_000

/**
 * Until when a target wants to hear nothing from whom, by its own `Retry-After`. Kept by tenant, because tenants may bring keys of
 * their own: what one has used up says nothing of another.
 */
export class Cooldowns {
  private readonly until = new Map<string, number>()

  set(tenant: string, until: number): void {
    const known = this.until.get(tenant) ?? 0
    if (until <= known) return
    this.until.delete(tenant)
    if (this.until.size >= MOST) this.until.delete(this.until.keys().next().value as string)
    this.until.set(tenant, until)
  }

  /** Milliseconds that are left; 0 = none. */
  left(tenant: string, now: number): number {
    if (this.until.size === 0) return 0
    const until = this.until.get(tenant)
    if (until === undefined) return 0
    if (until > now) return until - now
    this.until.delete(tenant)
    return 0
  }

  idle(now: number): boolean {
    for (const until of this.until.values()) if (until > now) return false
    return true
  }
}
