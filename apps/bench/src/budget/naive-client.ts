import { cacheRedis } from '@switchyard/cache-redis'
import { counters } from '@switchyard/contract'
import { startKernel } from '@switchyard/kernel'
import { ask } from './ask.ts'
import type { Client } from './client.ts'
import type { LoadCall } from './load.ts'
import { billedPico } from './price.ts'
import { LEASE, type NodeSettings } from './schemes.ts'

/** A budget's part of a call: takes room, or says no; is told what the call cost. */
interface Keeper {
  admit(call: LoadCall): Promise<boolean>
  /** `left`: the client went away before the end. */
  charge(call: LoadCall, nano: bigint, left: boolean): Promise<void>
}

const KEY = '{bench}:spent'
const DAY_MS = 86_400_000

/** The schemes that are common elsewhere, on the same counters and before the same upstream. */
export async function naiveClient(settings: NodeSettings): Promise<Client> {
  const kernel = await startKernel({ plugins: [cacheRedis({ url: settings.redisUrl as string })] })
  const shared = kernel.get(counters)
  const keeper = keeperOf(settings)
  return {
    async send(call) {
      if (!(await keeper.admit(call))) return 'refused'
      const controller = new AbortController()
      let tokens = 0
      const { ended } = await ask(settings.upstreamUrl, call, controller.signal, (count) => {
        tokens = count
        if (call.leavesAt !== undefined && count >= call.leavesAt) controller.abort()
      })
      const whole = await ended.catch(() => false)
      const nano = (billedPico(call.inputTokens, tokens) + 999n) / 1_000n
      await keeper.charge(call, nano, !whole)
      if (call.settledTwice) await keeper.charge(call, nano, !whole)
      return 'done'
    },
    async audit() {
      return { [KEY]: String((await shared.read([KEY]))[0]) }
    },
    close: () => kernel.close(),
  }

  function keeperOf({ scheme, limitUsd, index, start }: NodeSettings): Keeper {
    const limit = BigInt(Math.round(limitUsd * 1e9))
    let count = 0
    const add = async (amount: bigint): Promise<void> => {
      const id = `{bench}:${index}-${start}-${count++}`
      await shared.reserve([{ key: KEY, amount }], { id, expiresAt: Date.now() + 60_000 })
      await shared.settle(id, { [KEY]: amount })
    }
    const hold = async (call: LoadCall, lifeMs: number): Promise<boolean> => {
      const amount = (billedPico(call.inputTokens, call.maxTokens) + 999n) / 1_000n
      const lease = { id: leaseOf(call), expiresAt: Date.now() + lifeMs }
      return (await shared.reserve([{ key: KEY, amount, limit }], lease)).granted
    }
    switch (scheme) {
      case 'per-process': {
        let spent = 0n
        return {
          admit: async () => spent < limit,
          async charge(_call, nano) {
            spent += nano
          },
        }
      }
      case 'lost-reservation':
        return {
          admit: (call) => hold(call, DAY_MS),
          async charge(call, nano, left) {
            if (!left) await shared.settle(leaseOf(call), { [KEY]: nano })
          },
        }
      case 'released-hold':
        return {
          admit: (call) => hold(call, LEASE.leaseMs + LEASE.graceMs),
          async charge(call, nano) {
            await shared.settle(leaseOf(call), { [KEY]: nano })
          },
        }
      default:
        return { admit: async () => ((await shared.read([KEY]))[0] as bigint) < limit, charge: (_call, nano) => add(nano) }
    }
  }
}

function leaseOf({ id }: LoadCall): string {
  return `{bench}:${id}`
}
