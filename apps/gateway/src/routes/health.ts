import { OWN_INSTANCE } from '../passage.ts'
import type { Exchange } from '../server/exchange.ts'
import type { ServerParts } from '../server/http-server.ts'

/** `GET /healthz`: the process answers. 200 also while draining. */
export function healthz(exchange: Exchange): void {
  exchange.json(200, { status: 'ok' })
}

/** `GET /readyz`: 200 when traffic is welcome; 503 while draining, closing, or when a plugin is not well. */
export async function readyz(exchange: Exchange, { kernel, draining }: ServerParts): Promise<void> {
  if (draining() || !kernel.ready()) {
    exchange.json(503, { status: 'draining' })
    return
  }
  const instances = (await kernel.inspect()).instances.filter(({ instance }) => instance !== OWN_INSTANCE)
  const unwell = instances.filter(({ health }) => health.status === 'error')
  const plugins = Object.fromEntries(instances.map(({ instance, health }) => [instance, health.status]))
  exchange.json(unwell.length === 0 ? 200 : 503, { status: unwell.length === 0 ? 'ready' : 'not ready', plugins })
}
