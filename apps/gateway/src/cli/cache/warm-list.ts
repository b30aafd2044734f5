import { seedCatalog } from '@switchyard/catalog'
import { SwitchyardError } from '@switchyard/contract'
import { logCosts, type ModelCost } from './log-costs.ts'
import type { LoggedRequest } from './log-line.ts'
import { type Planned, type PlanSettings, planning } from './planned-requests.ts'
import { type BadLines, readLog } from './read-log.ts'
import { shortened } from './repeats.ts'
import { sentAgain } from './warm-gateway.ts'

/** Which requests of a log are sent. */
export interface WarmListOptions extends PlanSettings {
  readonly log: string
  /** Only requests of this one. Left out: of all, if the log names one at most. */
  readonly tenant?: string
  /** The most repeated ones, so many. */
  readonly limit?: number
  readonly maxDistinct: number
}

/** What was found of a log before anything is sent. */
export interface WarmList {
  readonly requests: number
  readonly badLines: BadLines
  /** Those that the cache would look up, and those of them that differ. */
  readonly eligible: number
  readonly distinct: number
  /** How many of these are to be sent, and how many requests of the log they are. */
  readonly chosen: number
  readonly chosenRequests: number
  readonly bypassed: Readonly<Record<string, number>>
  /** What the chosen ones cost when each is sent once. */
  readonly models: readonly ModelCost[]
  readonly isCapped: boolean
  /** The chosen ones, each once, in the log's order; reads the log again. */
  each(): AsyncGenerator<LoggedRequest>
}

/**
 * Reads a log and chooses what to send. All of it goes with one key, and so is told apart without the keys and users in the log. Rejects
 * `INVALID_REQUEST` where the log holds requests of several tenants and none is named: what one asked is no other's to be answered with.
 */
export async function warmList(options: WarmListOptions, progress: (share: number) => void): Promise<WarmList> {
  const { tenant, limit, maxDistinct } = options
  const planOf = planning(options)
  const counts = new Map<string, number>()
  const bypassed: Record<string, number> = {}
  const tenants = new Set<string>()
  let requests = 0
  let eligible = 0
  let isCapped = false

  function keyOf(request: LoggedRequest): string | undefined {
    if (tenant !== undefined && request.tenant !== tenant) return undefined
    const planned = choosesUpstream(request) ? CHOSEN : planOf(anonymous(request))
    if ('plan' in planned) return shortened(planned.plan.key)
    bypassed[planned.bypass] = (bypassed[planned.bypass] ?? 0) + 1
    return undefined
  }

  const log = await readLog(options.log)
  for await (const request of log.requests()) {
    requests += 1
    if (requests % 500 === 0) progress(log.share)
    tenants.add(request.tenant)
    if (tenant === undefined && tenants.size > 1) throw severalTenants(tenants)
    const key = keyOf(request)
    if (key === undefined) continue
    eligible += 1
    const before = counts.get(key)
    if (before !== undefined || counts.size < maxDistinct) counts.set(key, (before ?? 0) + 1)
    else isCapped = true
  }
  const chosen = mostRepeated(counts, limit)
  const costs = logCosts(seedCatalog())
  const found = { ...bypassed }

  async function* each(): AsyncGenerator<LoggedRequest> {
    const left = new Set(chosen.keys())
    const again = await readLog(options.log)
    for await (const request of again.requests()) {
      const key = keyOf(request)
      if (key === undefined || !left.delete(key)) continue
      yield request
      if (left.size === 0) return
    }
  }

  for await (const request of each()) costs.add(request, false)
  return {
    requests,
    badLines: log.bad,
    eligible,
    distinct: counts.size,
    chosen: chosen.size,
    chosenRequests: [...chosen.values()].reduce((sum, count) => sum + count, 0),
    bypassed: found,
    models: costs.models,
    isCapped,
    each,
  }
}

const CHOSEN: Planned = { bypass: 'upstream-choice' }

/** Whether its headers say which upstream is asked, and with whose credentials; these are not sent again. */
function choosesUpstream({ headers }: LoggedRequest): boolean {
  return Object.keys(headers).some((name) => name.startsWith('x-portkey-'))
}

function anonymous(request: LoggedRequest): LoggedRequest {
  return { ...request, headers: sentAgain(request.headers), tenant: 'log', key: 'log', user: undefined }
}

function mostRepeated(counts: ReadonlyMap<string, number>, limit: number | undefined): ReadonlyMap<string, number> {
  if (limit === undefined || counts.size <= limit) return counts
  return new Map([...counts].sort(([, one], [, other]) => other - one).slice(0, limit))
}

function severalTenants(tenants: ReadonlySet<string>): SwitchyardError {
  const named = [...tenants].map((one) => JSON.stringify(one.slice(0, 60))).join(' and ')
  return new SwitchyardError(
    'INVALID_REQUEST',
    `the log holds requests of several tenants, ${named} among them: name by --tenant whose are sent, with a key of that tenant`,
  )
}
