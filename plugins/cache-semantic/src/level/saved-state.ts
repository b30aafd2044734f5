import { createHash } from 'node:crypto'
import type { SavedPolicy } from '../policy/saved-policy.ts'
import type { Audit } from './audits.ts'
import type { SavedGroup } from './groups.ts'

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

/** A state as bytes. */
export function encodeState({ policy, groups, audits }: SavedState): Uint8Array {
  const rows = audits.map(({ right, weight }) => [Number(right), weight])
  return new TextEncoder().encode(JSON.stringify({ v: VERSION, policy, groups, audits: rows }))
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
