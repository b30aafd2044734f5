import { SwitchyardError } from '@switchyard/contract'
import type { Egress } from '@switchyard/egress'

/**
 * Whether a self-hosted Portkey answers and keeps its log to itself: without `--headless` it shows every request, keys included, to
 * whoever asks. Rejects `UPSTREAM_UNAVAILABLE` or `CONFIG_INVALID`.
 */
export async function checkGateway(
  egress: Egress,
  base: string,
  instance: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { origin } = new URL(base)
  const options = signal === undefined ? {} : { signal }
  const reply = await egress.request(`${origin}/`, options)
  await reply.body.bytes()
  if (reply.status >= 500) {
    throw new SwitchyardError('UPSTREAM_UNAVAILABLE', `${instance}: Portkey answers ${reply.status}`, { plugin: instance })
  }
  const log = await egress.request(`${origin}/log/stream`, options)
  log.body.destroy()
  if (log.status === 200) {
    throw new SwitchyardError(
      'CONFIG_INVALID',
      `${instance}: Portkey at ${origin} shows its log, with keys, to everyone: start it with --headless`,
      {
        plugin: instance,
      },
    )
  }
}
