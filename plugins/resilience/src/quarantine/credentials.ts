import { type Alternative, type Call, deploymentOf } from '@switchyard/contract'
import { type Kept, Keyed } from '../keyed.ts'
import { Quarantine } from './quarantine.ts'

/** Credentials remembered; above it those that are not quarantined are forgotten. */
const MOST = 4_096
/** Headers in which clients bring a key of their own; a gateway takes out the one that was for itself. */
const OWN_KEYS = ['authorization', 'api-key', 'x-api-key', 'x-goog-api-key'] as const
type Asking = Pick<Call, 'target' | 'request' | 'principal'>

/** One credential, or one deployment that it is not allowed to use. */
export class Credential implements Kept {
  used = false
  readonly key: string
  /** For messages and events: plugin instance, and upstream provider where the model's name has one. */
  readonly name: string
  readonly quarantine: Quarantine = new Quarantine()
  /** It served once, so that it is accepted: a 403 is about what was asked for then. */
  proven = false

  constructor(key: string) {
    this.key = key
    const end = key.indexOf('\n')
    this.name = end < 0 ? key : key.slice(0, end)
  }

  idle(): boolean {
    return !this.quarantine.held
  }
}

/**
 * Which credential a call uses: that of its target for the upstream provider in the model's name. A call that brings a key along
 * has a credential of its principal's own; one whose headers pick the upstream themselves has none that is known here.
 */
export class Credentials {
  private readonly selectors: ReadonlyMap<string, readonly string[]>
  private readonly known: Keyed<Credential> = new Keyed(MOST, (key) => new Credential(key))
  private readonly byDeployment: Keyed<Credential> = new Keyed(MOST, (key) => new Credential(key))
  private lastTarget = ''
  private lastModel = ''
  private last: Credential | undefined = undefined

  /** `selectors`: by plugin instance, headers by which a client picks the upstream itself. */
  constructor(selectors: ReadonlyMap<string, readonly string[]>) {
    this.selectors = selectors
  }

  /** Undefined for a call whose client picked the upstream. */
  of(call: Asking, now: number): Credential | undefined {
    const { model = '', headers } = call.request as { readonly model?: string; readonly headers?: Record<string, string> }
    if (headers !== undefined) {
      if (this.selectors.size > 0 && has(headers, this.selectors.get(call.target))) return undefined
      if (has(headers, OWN_KEYS)) {
        const { tenant, keyId } = call.principal
        return this.known.get(`${keyOf(call.target, model)}\n${tenant}\n${keyId}`, now)
      }
    }
    const { last } = this
    if (last !== undefined && this.lastTarget === call.target && this.lastModel === model) {
      last.used = true
      return last
    }
    this.last = this.known.get(keyOf(call.target, model), now)
    this.lastTarget = call.target
    this.lastModel = model
    return this.last
  }

  /** Whether any deployment was ever barred. */
  get barsAny(): boolean {
    return this.byDeployment.size > 0
  }

  /** The deployment of a call as far as one credential may not use it; undefined where nothing was ever refused. */
  barred(credential: Credential, call: Pick<Call, 'target' | 'attributes'>): Credential | undefined {
    return this.byDeployment.size === 0 ? undefined : this.byDeployment.peek(`${deploymentOf(call)}\n${credential.key}`)
  }

  /** The same, made where it is missing: to be quarantined. */
  bar(credential: Credential, call: Pick<Call, 'target' | 'attributes'>, now: number): Credential {
    return this.byDeployment.get(`${deploymentOf(call)}\n${credential.key}`, now)
  }

  /** Whether the alternative would be let through for that caller; changes nothing. */
  wouldAdmit({ target, request, attributes }: Alternative, { principal }: Call, now: number): boolean {
    const credential = this.of({ target, request, principal }, now)
    if (credential === undefined) return true
    if (!credential.quarantine.wouldAdmit(now)) return false
    return this.barred(credential, { target, attributes })?.quarantine.wouldAdmit(now) ?? true
  }
}

function keyOf(target: string, model: string): string {
  const slash = model.indexOf('/')
  return slash > 0 ? `${target}/${model.slice(0, slash)}` : target
}

function has(headers: Readonly<Record<string, string>>, names: readonly string[] | undefined): boolean {
  if (names === undefined) return false
  for (const name of names) if (headers[name] !== undefined) return true
  return false
}
