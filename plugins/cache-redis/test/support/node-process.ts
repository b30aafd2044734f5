import { cache } from '@switchyard/contract'
import { startPlugin, systemClock } from '@switchyard/testkit'
import { cacheRedis } from '../../src/index.ts'
import { copiesOf } from './copies.ts'

/** A node in a process of its own, which keeps a copy of the key `k` and uses it as often as it may, until it is killed. */
const [url, keyPrefix] = process.argv.slice(2) as [string, string]
const plugin = await startPlugin(cacheRedis({ url, keyPrefix }), { clock: systemClock() })
const copies = copiesOf(plugin.port(cache))
let usedAt = 0

await copies.read('k')
setInterval(() => {
  if (copies.use('k') !== undefined) usedAt = Date.now()
}, 1)
process.on('message', () => process.send?.({ usedAt }))
process.on('disconnect', () => process.exit())
process.send?.({ usedAt })
