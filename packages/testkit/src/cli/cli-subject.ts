import type { Port } from '@switchyard/contract'
import { systemClock } from '../clock/system-clock.ts'
import type { Subject } from '../conformance/suite.ts'
import { pluginSubject } from '../plugin/plugin-subject.ts'
import { startPlugin } from '../plugin/start-plugin.ts'
import { type ModelNaming, modelSubject } from '../suites/model/model-fixture.ts'
import type { RunArguments } from './arguments.ts'
import { type Factory, loadFactory } from './load-plugin.ts'
import { UsageError } from './usage-error.ts'

/** The plugin that a command line names, as a subject of the suite of `port`. Rejects with UsageError, or as the plugin's start does. */
// biome-ignore lint/suspicious/noExplicitAny: the port, and so its type, is known at run time only
export async function cliSubject(given: RunArguments, port: Port): Promise<Subject<any, any>> {
  const factory = await loadFactory(given.module, port, given.options, given.exportName)
  if (port.id === 'model') {
    return modelSubject({
      name: given.module,
      clock: given.clock ?? 'system',
      ...naming(given.fixture),
      plugin: ({ upstream, apiKey }) => factory(filled(given.options, { $UPSTREAM_URL: upstream.url, $UPSTREAM_KEY: apiKey })),
    })
  }
  if (Object.keys(given.fixture).length > 0) throw new UsageError(`--fixture is for port model; ${port.id} has none`)
  const probed = await clockOf(factory, given.options, port)
  return pluginSubject({
    name: given.module,
    port,
    clock: given.clock ?? probed,
    plugin: () => factory(given.options),
  })
}

/** Ports whose implementations wait for a peer: a virtual clock would stand still while they do. */
const OVER_A_WIRE: ReadonlySet<string> = new Set(['model', 'sql'])

/** Starts the plugin once to see that it starts at all, and whether its set-up takes the injected clock. */
async function clockOf(
  factory: Factory,
  options: Readonly<Record<string, unknown>>,
  port: Port,
): Promise<'virtual' | 'system'> {
  const started = await startPlugin(factory(options), { clock: systemClock() })
  await started.close()
  return started.usesClock && !OVER_A_WIRE.has(port.id) ? 'virtual' : 'system'
}

const NAMING: Readonly<Record<keyof ModelNaming, 'string' | 'boolean' | 'list'>> = {
  model: 'string',
  upstreamModel: 'string',
  embeddingModel: 'string',
  verbatim: 'boolean',
  translated: 'boolean',
  unstreamed: 'list',
}

function naming(fixture: Readonly<Record<string, unknown>>): ModelNaming {
  for (const [key, value] of Object.entries(fixture)) {
    const wanted = Object.hasOwn(NAMING, key) ? NAMING[key as keyof ModelNaming] : undefined
    if (wanted === undefined) throw new UsageError(`--fixture knows no ${key}; it knows ${Object.keys(NAMING).join(', ')}`)
    if ((Array.isArray(value) ? 'list' : typeof value) !== wanted)
      throw new UsageError(`${key} in --fixture must be a ${wanted}`)
  }
  return fixture
}

/** The options with placeholders replaced in every text, however deep. */
function filled<V>(value: V, texts: Readonly<Record<string, string>>): V {
  if (typeof value === 'string') {
    return Object.entries(texts).reduce<string>((text, [from, to]) => text.replaceAll(from, () => to), value) as V
  }
  if (Array.isArray(value)) return value.map((item) => filled(item, texts)) as V
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, filled(item, texts)])) as V
}
