import { afterAll, expect, test } from 'vitest'
import { type PrivateRedis, privateRedisCluster } from '../../../scripts/services/index.ts'
import { logKeys } from '../src/log/keys.ts'
import { keyPrefix, killUnderLoad } from './support/failover.ts'
import { needs } from './support/server.ts'

const cluster = await privateRedisCluster({ replicas: true })
needs(cluster)
afterAll(() => (cluster.status === 'ready' ? cluster.stop() : undefined))

test('the master of the log, then that of entries, killed under load: nothing that was deleted comes back', {
  timeout: 40_000,
}, async () => {
  if (cluster.status !== 'ready') return expect.unreachable()
  const { nodes, replicas } = cluster
  const slot = Number(await nodes[0]?.ask('CLUSTER', 'KEYSLOT', logKeys(keyPrefix).log))
  const owner = Math.min(2, Math.floor((slot * nodes.length) / 16_384))
  const masters = [nodes[owner], nodes[(owner + 1) % nodes.length]] as readonly PrivateRedis[]
  await killUnderLoad({ cluster: [...nodes, ...replicas].map(({ port }) => ({ host: '127.0.0.1', port })) }, masters)
})
