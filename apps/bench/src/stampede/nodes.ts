import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type OwnRedis, startRedis } from '../budget/redis.ts'
import { type Served, startSwitchyard } from '../peers/switchyard.ts'

/** How calls that want the same are shared: not at all, within each process, or over all of them. */
export type Sharing = 'none' | 'local' | 'shared'
export const SHARINGS: readonly Sharing[] = ['none', 'local', 'shared']

export const KEY = 'sk-of-the-bench'

/** Gateways of one kind, and what they stand on. */
export interface Fleet {
  readonly origins: readonly string[]
  stop(): Promise<void>
}

/** Starts so many processes, each a gateway with the cache over the upstream. A fleet that shares has a Redis of its own. */
export async function startFleet(sharing: Sharing, processes: number, upstreamUrl: string): Promise<Fleet> {
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-bench-'))
  let redis: OwnRedis | undefined
  let nodes: readonly Served[] = []
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.stop()))
    await redis?.stop()
    await rm(folder, { recursive: true, force: true })
  }
  try {
    if (sharing === 'shared') redis = await startRedis(folder)
    const store =
      redis === undefined
        ? { use: '@switchyard/cache-memory' }
        : { use: '@switchyard/cache-redis', options: { url: redis.url } }
    const started = await Promise.allSettled(
      Array.from({ length: processes }, (_, at) =>
        startSwitchyard({
          embedded: false,
          dataDir: join(folder, String(at)),
          log: { level: 'silent' },
          auth: { keys: [{ key: KEY, tenant: 'bench', id: 'bench' }] },
          plugins: [
            // Without likeness: what is tried here are equal calls.
            {
              use: '@switchyard/cache',
              options: { secret: 'a secret that all nodes have', models: { epsilon: 0, off: sharing === 'none' } },
            },
            store,
            {
              use: '@switchyard/provider-openai',
              as: 'fake',
              options: { provider: 'fake', baseUrl: upstreamUrl, apiKey: 'bench', egress: { allow: ['127.0.0.0/8'] } },
            },
          ],
        }),
      ),
    )
    nodes = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    const failed = started.find((one) => one.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    return { origins: nodes.map(({ origin }) => origin), stop }
  } catch (error) {
    await stop()
    throw error
  }
}
