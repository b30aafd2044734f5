import { health, model } from '@switchyard/contract'
import type { AdminRequest } from './admin-route.ts'
import { onlyKnown } from './query.ts'

const MODEL_PORT = `${model.id}@${model.version}`

/** `GET /admin/providers`: the model providers of the assembly, what each can, whether it is well, and how its deployments do. */
export async function listProviders({ exchange, parts, query }: AdminRequest): Promise<void> {
  onlyKnown(query, [])
  const { instances } = await parts.kernel.inspect()
  const [source] = parts.kernel.all(health).values()
  const states = source?.list() ?? []
  const data = instances.flatMap(({ instance, plugin, version, provides, health: probe }) => {
    const port = provides.find((one) => one.port === MODEL_PORT)
    if (port === undefined) return []
    const deployments: Record<string, number> = {}
    for (const { deployment, state } of states)
      if (deployment.startsWith(`${instance}/`)) deployments[state] = (deployments[state] ?? 0) + 1
    return [{ instance, plugin, version: version ?? null, capabilities: port.capabilities, health: probe, deployments }]
  })
  exchange.json(200, { object: 'list', data })
}
