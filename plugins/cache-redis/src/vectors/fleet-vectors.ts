import { SwitchyardError, type VectorIndex } from '@switchyard/contract'
import { type RedisVectorsOptions, redisVectors } from './redis-vectors.ts'
import { knowsVectorSets, vectorSets } from './vector-sets.ts'

export interface FleetVectorsOptions extends RedisVectorsOptions {
  readonly vectorIndex: 'auto' | 'replicated' | 'vector-sets'
  /** Whether the server can be asked now what it knows. */
  readonly connectOnStart: boolean
}

/**
 * The index that the options ask for: vector sets where every master knows them, else replicas that follow the log. All nodes of a fleet
 * are to come to the same, as neither sees the other's items.
 * @throws SwitchyardError CONFIG_INVALID where vector sets are asked for by name of a server that has none.
 */
export async function fleetVectors(
  options: FleetVectorsOptions,
  signal: AbortSignal,
): Promise<{ readonly index: VectorIndex; close(): void }> {
  const { client, guard, vectorIndex, connectOnStart } = options
  const knows = async (): Promise<boolean> => connectOnStart && guard.run(() => knowsVectorSets(client), { signal })
  if (vectorIndex === 'vector-sets' && connectOnStart && !(await knows())) {
    const words =
      'redis: `vectorIndex` is vector-sets, which this server does not know: they come with Redis 8.0; or let it be replicated'
    throw new SwitchyardError('CONFIG_INVALID', words)
  }
  if (vectorIndex === 'vector-sets' || (vectorIndex === 'auto' && (await knows()))) {
    return { index: vectorSets(options), close: () => {} }
  }
  const index = redisVectors(options)
  return { index, close: index.close }
}
