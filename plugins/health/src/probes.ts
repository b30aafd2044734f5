import { type Clock, type Counters, type Logger, type ModelProvider, SwitchyardError } from '@switchyard/contract'
import type { Deployment } from './deployment.ts'
import type { Deployments } from './deployments.ts'
import { toldBy } from './errors.ts'
import type { Findings } from './findings.ts'
import type { ProbeOptions } from './options.ts'

export interface ProbesParts {
  readonly options: ProbeOptions
  readonly providers: ReadonlyMap<string, ModelProvider>
  /** Where nodes share counters, one of them probes a deployment in each interval. */
  readonly counters: Counters | undefined
  readonly node: string
  readonly deployments: Deployments
  readonly findings: Findings
  readonly clock: Clock
  readonly random: () => number
  readonly log: Pick<Logger, 'debug'>
}

interface Aim {
  readonly provider: ModelProvider
  readonly model: string | undefined
}

const TICK_MS = 1_000
const MINUTE_MS = 60_000
const JITTER = 0.2
/** At once; more would look like load to a provider that is coming back. */
const MAX_UNDER_WAY = 4

/**
 * Probes deployments that are ejected or that nobody called for a while, until the returned function stops it. Only at providers
 * whose probes are free, or which the options name. No timer where there is none of these.
 */
export function startProbes(parts: ProbesParts): () => void {
  const { options, providers, deployments, findings, clock, random, log } = parts
  const probed = new Map([...providers].filter(([name, { capabilities }]) => allowed(name, capabilities.freeProbe)))
  if (probed.size === 0 || options.maxPerMinute === 0) return () => {}
  const underWay = new Map<Deployment, AbortController>()
  let minute = clock.monotonic()
  let spent = 0
  let cancel = clock.schedule(TICK_MS, tick)

  function allowed(name: string, free: boolean | undefined): boolean {
    return free === true || options.instances.includes(name)
  }

  function tick(): void {
    cancel = clock.schedule(TICK_MS, tick)
    const now = clock.monotonic()
    if (now - minute >= MINUTE_MS) {
      minute = now
      spent = 0
    }
    for (const { deployment, aim } of due(now)) {
      if (underWay.size >= MAX_UNDER_WAY || spent >= options.maxPerMinute) return
      deployment.probeAt = now + options.intervalMs * (1 - JITTER + 2 * JITTER * random())
      spent += 1
      void probe(deployment, aim)
    }
  }

  /** Who is to be probed now, longest overdue first, so that where few may be, all have their turn. */
  function due(now: number): readonly { readonly deployment: Deployment; readonly aim: Aim }[] {
    const found: { readonly deployment: Deployment; readonly aim: Aim; readonly at: number }[] = []
    for (const deployment of deployments.values()) {
      const aim = wanted(deployment, now) ? aimAt(deployment.name, probed) : undefined
      if (aim === undefined) deployment.probeAt = undefined
      else {
        // Nodes that lost sight of a deployment together would all probe it together.
        deployment.probeAt ??= now + options.intervalMs * random()
        const at = deployment.probeAt
        if (at <= now && !underWay.has(deployment)) found.push({ deployment, aim, at })
      }
    }
    return found.sort((a, b) => a.at - b.at)
  }

  function wanted({ standing, calledAt }: Deployment, now: number): boolean {
    if (standing.state === 'disabled' || standing.cooling) return false
    return standing.state === 'ejected' || now - Math.max(calledAt, 0) >= options.quietMs
  }

  async function probe(deployment: Deployment, { provider, model }: Aim): Promise<void> {
    const controller = new AbortController()
    underWay.set(deployment, controller)
    const { life } = deployment
    let well: boolean | undefined
    let limit: SwitchyardError | undefined
    try {
      if (!(await claimed(deployment, parts))) return
      await within(options.timeoutMs, controller, clock, provider.probe(model === undefined ? {} : { model }, controller))
      well = true
    } catch (error) {
      const told = toldBy(error, controller.signal)
      if (told === 'limited') limit = error as SwitchyardError
      else if (told === 'bad' || SwitchyardError.is(controller.signal.reason, 'TIMEOUT')) well = false
      log.debug({ deployment: deployment.name, error }, 'a probe did not go well')
    } finally {
      underWay.delete(deployment)
    }
    if (SwitchyardError.is(controller.signal.reason, 'CLOSED') || deployment.life !== life) return
    const now = clock.monotonic()
    if (limit !== undefined) findings.limited(deployment, limit, now)
    if (well !== undefined) findings.probed(deployment, well, now)
  }

  return () => {
    cancel()
    const reason = new SwitchyardError('CLOSED', 'health is closing, and with it its probes')
    for (const controller of underWay.values()) controller.abort(reason)
  }
}

/** `instance/provider/model` as what is probed where; undefined where no provider of that name may be probed. */
function aimAt(name: string, probed: ReadonlyMap<string, ModelProvider>): Aim | undefined {
  const slash = name.indexOf('/')
  const provider = probed.get(slash === -1 ? name : name.slice(0, slash))
  return provider && { provider, model: slash === -1 ? undefined : name.slice(slash + 1) }
}

/** True where this node is the one to probe now. Alone, or where the counters fail, it is. */
async function claimed({ name }: Deployment, { counters, options, node, clock }: ProbesParts): Promise<boolean> {
  if (counters === undefined) return true
  // As long as two probes of one node are apart at least, so that it never stands in its own way.
  const slotMs = options.intervalMs * (1 - JITTER)
  const slot = Math.floor(clock.now() / slotMs)
  const key = `health/probe/${name}/${slot}`
  const expiresAt = Math.ceil((slot + 1) * slotMs)
  try {
    const row = { key, amount: 1n, limit: 1n, expiresAt }
    return (await counters.reserve([row], { id: `${key}/${node}`, expiresAt })).granted
  } catch {
    return true
  }
}

/** Aborts and rejects after `ms`, also where `work` does not heed its signal. */
function within(ms: number, controller: AbortController, clock: Clock, work: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = clock.schedule(ms, () => {
      const error = new SwitchyardError('TIMEOUT', `no answer to a probe within ${ms} ms`)
      controller.abort(error)
      reject(error)
    })
    work.then(resolve, reject).finally(cancel)
  })
}
