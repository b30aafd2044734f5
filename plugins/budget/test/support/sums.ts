import { budgetKey } from '../../src/limits/keys.ts'
import type { World } from './world.ts'

/** The counter of a budget for a value, settled and reserved, in nano-USD. */
export async function sumOf(
  world: Pick<World, 'counters' | 'sqlite'>,
  budget: string,
  value: string,
  windowId = '2026-01',
  tenant = 'acme',
): Promise<bigint> {
  return (await world.counters.read([await keyOf(world, budget, value, windowId, tenant)]))[0] as bigint
}

/** The key of that counter. */
export async function keyOf(
  { sqlite }: Pick<World, 'sqlite'>,
  budget: string,
  value: string,
  windowId = '2026-01',
  tenant = 'acme',
): Promise<string> {
  const text = 'SELECT since_ms FROM switchyard_budgets WHERE name = ?'
  const [row] = (await sqlite.query<{ since_ms: number }>(text, [budget])).rows
  return budgetKey(tenant, { name: budget, since: row?.since_ms ?? 0 }, windowId, value)
}
