import { createHash } from 'node:crypto'
import type { AuditedPolicy } from '../policy/audited-policy.ts'
import type { SavedPolicy } from '../policy/saved-policy.ts'
import type { Audit, Audits } from './audits.ts'
import type { GroupLabels, SavedGroup } from './groups.ts'

/** What of a population outlives its process. */
export interface SavedState {
  readonly policy: SavedPolicy
  readonly groups: readonly SavedGroup[]
  readonly audits: readonly Audit[]
}

/** Others are not read. */
const VERSION = 1

/** Under which a population's state is kept: of one encoder, since what was learnt of one says nothing of another. */
export function stateKey(population: string, encoder: string): string {
  return `cache-semantic:state:${createHash('sha256')
    .update(JSON.stringify([population, encoder]))
    .digest('base64url')}`
}

/** What of a population is saved. */
export interface Savable {
  readonly policy: Pick<AuditedPolicy, 'saveInSlices'>
  readonly groups: Pick<GroupLabels, 'save'>
  readonly audits: Pick<Audits, 'oldestFirst'>
}

/** A state as bytes, which `decodeState` reads; made in slices of some milliseconds. */
export function* encodeInSlices({ policy, groups, audits }: Savable): Generator<undefined, Uint8Array> {
  const text = yield* policy.saveInSlices()
  const rows = audits.oldestFirst.map(({ right, weight }) => [Number(right), weight])
  const rest = JSON.stringify({ groups: groups.save(), audits: rows })
  return new TextEncoder().encode(`{"v":${VERSION},"policy":${text},${rest.slice(1)}`)
}

/** What the bytes say; undefined where they are no state of this version. The policy looks at its own part itself. */
export function decodeState(bytes: Uint8Array): SavedState | undefined {
  try {
    const { v, policy, groups, audits } = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    if (v !== VERSION || typeof policy !== 'object' || policy === null) return undefined
    if (!isRows(groups, 3) || !isRows(audits, 2)) return undefined
    return {
      policy,
      groups: groups as unknown as readonly SavedGroup[],
      audits: audits.map(([right, weight]) => ({ right: right === 1, weight: Number(weight) })),
    }
  } catch {
    return undefined
  }
}

function isRows(value: unknown, width: number): value is readonly (readonly unknown[])[] {
  return Array.isArray(value) && value.every((row) => Array.isArray(row) && row.length === width)
}
