import { FAULTS, type HonestEnding, type NamedFault, startFakeUpstream } from '@switchyard/testkit'
import { table } from '../measure/table.ts'
import { startPortkeyAlone, startSwitchyard } from '../peers/switchyard.ts'
import { observe, type Seen, type Sight } from './client.ts'
import { type DisconnectRow, disconnects } from './disconnects.ts'

export interface FaultRow extends Sight {
  readonly fault: string
  readonly mode: 'plain' | 'stream'
  readonly path: 'openai' | 'portkey'
  /** Whether it is among the endings that the fault's catalogue calls honest. */
  readonly honest: boolean
}

const PATHS = ['openai', 'portkey'] as const
const MODES = ['plain', 'stream'] as const
const LIMIT_MS = 20_000
const AT_ONCE = 12
/** Short, so that stalls and endless streams end within the run. */
const TIMES = { headersTimeoutMs: 1_500, streamIdleTimeoutMs: 1_500, totalTimeoutMs: 6_000 }

/** What a client sees of every fault, and how soon the upstream learns that a client left. */
export interface CatalogueResult {
  readonly rows: readonly FaultRow[]
  readonly disconnects: readonly DisconnectRow[]
  readonly summary: Readonly<Record<string, number>>
}

/** Every fault of the testkit's upstream over both providers, once, and `aborts` clients that leave mid-stream. */
export async function catalogue(aborts: number): Promise<CatalogueResult> {
  await using upstream = await startFakeUpstream()
  const portkey = await startPortkeyAlone()
  const gateway = await startSwitchyard(configuration(upstream.url, portkey.origin))
  try {
    const url = `${gateway.origin}/v1/chat/completions`
    const cases = FAULTS.flatMap((fault) =>
      MODES.filter((mode) => fault[mode].length > 0).flatMap((mode) => PATHS.map((path) => ({ fault, mode, path }))),
    )
    const rows = await mapAtOnce(cases, async ({ fault, mode, path }): Promise<FaultRow> => {
      const sight = await observe({
        url,
        model: `${path}/gpt-fake!${fault.fault}`,
        stream: mode === 'stream',
        limitMs: LIMIT_MS,
      })
      return { fault: fault.name, mode, path, ...sight, honest: isHonest(sight.seen, fault, mode) }
    })
    const left: DisconnectRow[] = []
    for (const path of PATHS) left.push(await disconnects(path, url, `${path}/gpt-fake`, upstream, aborts))
    return { rows, disconnects: left, summary: summary(rows) }
  } finally {
    await gateway.stop()
    await portkey.stop()
  }
}

function configuration(upstreamUrl: string, portkeyOrigin: string): object {
  const egress = { allow: ['127.0.0.0/8'] }
  const openai = { ...TIMES, provider: 'openai', baseUrl: upstreamUrl, apiKey: 'fake', egress }
  const providers = { portkey: { slug: 'openai', apiKey: 'fake', customHost: upstreamUrl } }
  return {
    plugins: [
      // Two targets serve every fault: an open breaker, or a credential left alone, would hide those that come later.
      { use: '@switchyard/resilience', options: { breaker: { enabled: false }, quarantine: { enabled: false } } },
      { use: '@switchyard/provider-openai', options: openai },
      { use: '@switchyard/provider-portkey', options: { ...TIMES, baseUrl: `${portkeyOrigin}/v1`, providers, egress } },
    ],
  }
}

const HONEST_AS: Readonly<Record<HonestEnding, readonly Seen[]>> = {
  ok: ['ok'],
  'error-status': ['error-status'],
  'error-before-content': ['error-status'],
  'error-event-mid-stream': ['error-event-mid-stream'],
}

function isHonest(seen: Seen, fault: NamedFault, mode: 'plain' | 'stream'): boolean {
  return fault[mode].some((ending) => HONEST_AS[ending].includes(seen))
}

function summary(rows: readonly FaultRow[]): Readonly<Record<string, number>> {
  const count = (seen: Seen): number => rows.filter((row) => row.seen === seen).length
  const dishonest = rows.filter((row) => !row.honest).length
  return {
    requests: rows.length,
    silentTruncations: count('silent-truncation'),
    hung: count('hung'),
    cut: count('connection-cut'),
    unexpected: dishonest,
  }
}

/** Its tables, for people. */
export function printCatalogue({ rows, disconnects: left, summary: counts }: CatalogueResult): void {
  console.log(
    table(
      ['fault', 'mode', 'path', 'client saw', 'detail', 'as expected'],
      rows.map((row) => [row.fault, row.mode, row.path, row.seen, row.detail.slice(0, 60), row.honest ? 'yes' : 'NO']),
    ),
  )
  console.log(
    `\n${Object.entries(counts)
      .map(([name, value]) => `${name}: ${value}`)
      .join('   ')}\n`,
  )
  console.log(
    table(
      ['client left', 'aborts', 'upstream closed within 1.5 s', 'p50 ms', 'p99 ms'],
      left.map((row) => [row.path, String(row.aborts), String(row.closed), row.p50Ms, row.p99Ms]),
    ),
  )
}

async function mapAtOnce<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = []
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++
      results[index] = await work(items[index] as T)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
  return results
}
