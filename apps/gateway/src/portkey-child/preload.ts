/**
 * Runs inside the Portkey child before its own code. `@portkey-ai/gateway` has no host option and would listen on every interface
 * without authentication, so every listen is bound to loopback; and it leaves with its parent, also when that was killed.
 */
const SOURCE = `
import net from 'node:net'
const listen = net.Server.prototype.listen
net.Server.prototype.listen = function (...given) {
  const [first, ...rest] = given
  if (typeof first === 'object' && first?.port !== undefined) return listen.call(this, { ...first, host: '127.0.0.1' }, ...rest)
  const isPort = typeof first === 'number' || (typeof first === 'string' && /^\\d+$/.test(first))
  if (!isPort) return listen.apply(this, given)
  const others = rest.filter((value) => typeof value === 'number' || typeof value === 'function')
  return listen.call(this, Number(first), '127.0.0.1', ...others)
}
process.on('disconnect', () => process.exit(0))
process.channel?.unref()
`

/** A module specifier for `node --import`: the preload needs no file of its own in the published package. */
export const PRELOAD: string = `data:text/javascript,${encodeURIComponent(SOURCE)}`
