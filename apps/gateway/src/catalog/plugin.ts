import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { catalog, type Slicing, seedCatalog } from '@switchyard/catalog'
import { type Clock, definePlugin, type PluginFactory } from '@switchyard/contract'
import { createEgress, type Egress } from '@switchyard/egress'
import { type FeedKeeper, feedKeeper } from './feed-keeper.ts'
import { folderStore, noStore } from './feed-store.ts'
import { type Feed, feedsOf } from './feeds.ts'
import { liveCatalog } from './live-catalog.ts'
import { type CatalogInput, type CatalogOptions, catalogOptions } from './options.ts'
import { overridesOf, readOverrides } from './overrides.ts'
import { catalogKeeper } from './port.ts'
import { updateLoop } from './update-loop.ts'

const MAX_FEED_BYTES = 16 * 1024 * 1024
const FILE_TIMEOUT_MS = 60_000

/** The port `catalog`: the seed, with the public feeds over it where they are on, and a team's overrides over both. */
export const modelCatalog: PluginFactory<CatalogInput> = definePlugin({
  name: '@switchyard/catalog',
  contract: 1,
  options: catalogOptions,
  provides: { catalog, keeper: catalogKeeper },
  async setup(ctx) {
    const { options, clock, log, random } = ctx
    const { enabled, intervalMs } = options.update
    const said = overridesOf(options.rows, 'rows')
    const overrides = options.overrides === undefined ? said : [...said, ...(await readOverrides(options.overrides))]
    const feeds = enabled ? feedsOf(options.update) : []
    const slicing = slicingFor(clock, ctx.signal)
    let keepers: readonly FeedKeeper[] = []
    if (enabled) {
      const egress = egressTo(feeds, options, ctx)
      ctx.onClose(() => egress.close())
      const store = options.dataDir === undefined ? noStore : folderStore(join(options.dataDir, 'catalog'))
      keepers = feeds.map((feed) => feedKeeper({ feed, egress, store, clock, slicing }))
    }
    const live = liveCatalog({ seed: seedCatalog(), overrides, keepers, slicing })
    const changed = async (): Promise<void> => {
      const change = await live.rebuild()
      const { version, added, removed, repriced, quarantined } = change
      const counts = {
        added: added.length,
        removed: removed.length,
        repriced: repriced.length,
        quarantined: quarantined.length,
      }
      log.info({ version, ...counts }, 'catalog updated')
      ctx.emit('catalog:updated', change)
    }
    if (enabled) {
      await Promise.all(keepers.map((keeper) => keeper.load()))
      if (keepers.some(({ content }) => content !== undefined)) await changed()
      ctx.onClose(updateLoop({ keepers, changed, intervalMs, clock, random, log }))
    }
    return {
      ports: {
        catalog: { current: live.current },
        keeper: { status: () => ({ ...live.status(), updates: enabled }) },
      },
    }
  },
})

function egressTo(
  feeds: readonly Feed[],
  { update }: CatalogOptions,
  { instance, clock }: { readonly instance: string; readonly clock: Clock },
): Egress {
  const plain = feeds.some(({ files }) => files.some(({ url }) => url.startsWith('http:')))
  return createEgress(
    {
      schemes: plain ? ['https:', 'http:'] : ['https:'],
      allow: update.allow,
      maxResponseBytes: MAX_FEED_BYTES,
      totalTimeoutMs: FILE_TIMEOUT_MS,
      connections: 4,
    },
    { plugin: instance, clock },
  )
}

/** Between slices calls in flight have their turn; once the plugin closes there is no next slice. */
function slicingFor(clock: Clock, signal: AbortSignal): Slicing {
  return {
    now: () => clock.monotonic(),
    async pause() {
      await setImmediate()
      signal.throwIfAborted()
    },
  }
}
