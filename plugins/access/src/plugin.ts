import { access as accessPort, bus, definePlugin, keys, optional, type PluginFactory, sql } from '@switchyard/contract'
import { assemble } from './assemble.ts'
import { openIssuers } from './issuers.ts'
import { type AccessInput, accessOptions } from './options.ts'
import { tokenKind } from './token-check.ts'

/** Who asks: virtual keys, admin keys and tokens. Ports `access` and `keys`, and a policy that holds calls to their key's scopes. */
export const access: PluginFactory<AccessInput> = definePlugin({
  name: '@switchyard/access',
  contract: 1,
  options: accessOptions,
  requires: { sql: optional(sql), bus: optional(bus) },
  provides: { access: accessPort, keys },
  async setup(ctx) {
    const { options, deps, clock, log, instance } = ctx
    const onClose = (release: () => Promise<void> | void): void => ctx.onClose(release)
    const issuers = openIssuers(options.jwt, { clock, instance, onClose })
    const { policy, ...ports } = await assemble({
      options,
      ...deps,
      tokens: issuers.length === 0 ? undefined : tokenKind(issuers, clock),
      clock,
      log,
      onClose,
      happened: ({ event, payload }) => ctx.emit(event, payload as never),
      failed: (failure) => ctx.emit('login:failed', failure),
    })
    return { ports, policies: [policy] }
  },
})
