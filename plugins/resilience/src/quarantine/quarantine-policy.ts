import {
  type Call,
  type Clock,
  deploymentOf,
  type Next,
  type Policy,
  type SetupContext,
  SwitchyardError,
} from '@switchyard/contract'
import type { Lanes } from '../lanes.ts'
import { type AnyReply, send } from '../reply.ts'
import { statedDelay } from '../retry/backoff.ts'
import type { QuarantineSettings } from '../settings.ts'
import { credentialFaultOf } from './credential-fault.ts'
import type { Credential } from './credentials.ts'
import { FREE, type Permit, REFUSED } from './quarantine.ts'

/** What the policy needs from the plugin that places it. */
export interface QuarantineContext {
  readonly name: string
  /** Instance name of the plugin, stated in errors and events. */
  readonly plugin: string
  readonly clock: Pick<Clock, 'now'>
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly lanes: Lanes
  readonly emit: SetupContext<unknown, unknown>['emit']
}

/** What one attempt holds. */
interface Use {
  readonly credential: Credential
  readonly permit: Permit
  /** The deployment, where it was barred for the credential before. */
  readonly barred: Credential | undefined
  readonly barredPermit: Permit
}

/**
 * Leaves a credential alone that its provider refused, or whose quota is used up: calls that need it are refused with `CIRCUIT_OPEN`
 * without being dialled, and go elsewhere where they can, until one probe was served. A 403 for a credential that served before bars the
 * one deployment alone. Calls whose client picked the upstream itself pass untouched.
 */
export function quarantinePolicy(context: QuarantineContext): Policy {
  const { name, clock, lanes } = context
  const { credentials } = lanes
  return {
    name,
    stage: 'resilience',
    operations: '*',
    around(call, next) {
      const now = clock.now()
      const settings = lanes.of(call, now).settings.quarantine
      const credential = settings.enabled ? credentials.of(call, now) : undefined
      if (credential === undefined) return next(call)
      const permit = credential.quarantine.admit(now)
      if (permit === FREE && credential.proven && !credentials.barsAny) {
        return send(call, next).then(undefined, (error: unknown) => {
          judge(context, call, settings, { credential, permit, barred: undefined, barredPermit: FREE }, error)
          throw error
        })
      }
      if (permit === REFUSED) return Promise.reject(quarantined(context, call, credential, credential, now))
      const barred = credentials.barred(credential, call)
      const barredPermit = barred === undefined ? FREE : barred.quarantine.admit(now)
      if (barredPermit !== REFUSED) return used(context, call, next, settings, { credential, permit, barred, barredPermit })
      credential.quarantine.unproven(permit)
      return Promise.reject(quarantined(context, call, credential, barred as Credential, now))
    },
    async explain(call) {
      const now = clock.now()
      const { enabled } = lanes.of(call, now).settings.quarantine
      const credential = enabled ? credentials.of(call, now) : undefined
      if (credential === undefined) return { decisions: [{ decision: 'no-quarantine' }] }
      const because = { credential: credential.name }
      const held = [credential, credentials.barred(credential, call)].find((each) => each?.quarantine.wouldAdmit(now) === false)
      if (held === undefined) return { decisions: [{ decision: 'let-through', because }] }
      const retryAfterMs = held.quarantine.retryAfterMs(now)
      return { decisions: [{ decision: 'refused', because: { ...because, reason: 'quarantine', retryAfterMs } }] }
    },
  }
}

function used(context: QuarantineContext, call: Call, next: Next, settings: QuarantineSettings, use: Use): Promise<AnyReply> {
  return send(call, next).then(
    (reply) => {
      const { credential, permit, barred, barredPermit } = use
      credential.proven = true
      if (credential.quarantine.served(permit)) released(context, call, credential, 'credential')
      if (barred?.quarantine.served(barredPermit)) released(context, call, credential, 'deployment')
      return reply
    },
    (error: unknown) => {
      judge(context, call, settings, use, error)
      throw error
    },
  )
}

function judge(context: QuarantineContext, call: Call, settings: QuarantineSettings, use: Use, error: unknown): void {
  const { clock, random, emit, lanes } = context
  const { credential, permit, barred, barredPermit } = use
  const fault = credentialFaultOf(error)
  const now = clock.now()
  const narrow = fault === 'forbidden' && permit === FREE && credential.proven
  if (fault === undefined || narrow) credential.quarantine.unproven(permit)
  if (fault === undefined || !narrow) barred?.quarantine.unproven(barredPermit)
  if (fault === undefined) return
  const held = narrow ? lanes.credentials.bar(credential, call, now) : credential
  const until = held.quarantine.refused(narrow ? barredPermit : permit, now, settings, random, statedDelay(error))
  if (until === undefined) return
  call.trace.decide(context.name, 'quarantined', { credential: credential.name, reason: fault, forMs: until - now })
  emit('credential:quarantined', {
    ...told(context, call, credential, narrow ? 'deployment' : 'credential'),
    reason: fault,
    until,
  })
}

function released(context: QuarantineContext, call: Call, credential: Credential, scope: 'credential' | 'deployment'): void {
  context.emit('credential:released', told(context, call, credential, scope))
}

function told({ plugin, clock }: QuarantineContext, call: Call, { name }: Credential, scope: 'credential' | 'deployment') {
  return { plugin, operation: call.operation, deployment: deploymentOf(call), at: clock.now(), credential: name, scope }
}

function quarantined(
  { plugin }: QuarantineContext,
  call: Call,
  { name }: Credential,
  held: Credential,
  now: number,
): SwitchyardError {
  const retryAfterMs = held.quarantine.retryAfterMs(now)
  const message = `${call.operation}: the provider refused the credential of ${name}, which is left alone for another ${retryAfterMs} ms; mend the key or its account, or use another target`
  const details = { guard: 'quarantine', sent: false, deployment: deploymentOf(call), credential: name }
  return new SwitchyardError('CIRCUIT_OPEN', message, { plugin, retryAfterMs, details })
}
