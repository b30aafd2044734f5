import { type Call, type Policy, type Scopes, SwitchyardError } from '@switchyard/contract'
import { matcherOf } from './name-match.ts'

type ModelCall = Call<'model.invoke'>

/**
 * Refuses calls that the caller's key is not for: `FORBIDDEN`, naming what is allowed. A principal without scopes was made by code of
 * this process, and passes.
 * @param steeringHeaders Headers that can name another model than the call does; refused where models are restricted.
 */
export function scopesPolicy(steeringHeaders: readonly string[]): Policy<'model.invoke'> {
  const matchers = new WeakMap<readonly string[], (name: string) => boolean>()

  function allows(list: readonly string[], name: string): boolean {
    let matcher = matchers.get(list)
    if (matcher === undefined) {
      matcher = matcherOf(list)
      matchers.set(list, matcher)
    }
    return matcher(name)
  }

  function refusal({ request }: ModelCall, { models, endpoints }: Scopes): SwitchyardError | undefined {
    if (!isAny(endpoints) && !allows(endpoints, request.endpoint)) return refused('endpoint', request.endpoint, endpoints)
    if (isAny(models)) return undefined
    for (const header of steeringHeaders)
      if (request.headers?.[header] !== undefined)
        return new SwitchyardError(
          'FORBIDDEN',
          `this key may call certain models only, so that the header ${header}, which can name another, is not for it`,
          { details: { param: header, code: 'header_not_allowed' } },
        )
    return allows(models, request.model) ? undefined : refused('model', request.model, models)
  }

  return {
    name: 'access/scopes',
    stage: 'admit',
    operations: ['model.invoke'],
    around(call, next) {
      const { scopes } = call.principal
      if (scopes === undefined || (isAny(scopes.models) && isAny(scopes.endpoints))) return next(call)
      const error = refusal(call, scopes)
      if (error === undefined) return next(call)
      call.trace.decide('access/scopes', 'refused', { reason: error.message })
      return Promise.reject(error)
    },
    async explain(call) {
      const { scopes, keyId } = call.principal
      if (scopes === undefined) return { decisions: [{ decision: 'pass', because: { reason: 'no-scopes' } }] }
      const error = refusal(call, scopes)
      if (error !== undefined)
        return { decisions: [{ decision: 'refuse', because: { code: error.code, reason: error.message } }] }
      return { decisions: [{ decision: 'pass', because: { key: keyId, models: scopes.models, endpoints: scopes.endpoints } }] }
    },
  }
}

function isAny(list: readonly string[]): boolean {
  return list.length === 1 && list[0] === '*'
}

const MAX_NAMED = 20

function refused(param: 'model' | 'endpoint', asked: string, list: readonly string[]): SwitchyardError {
  const more = list.length > MAX_NAMED ? `, and ${list.length - MAX_NAMED} more` : ''
  const allowed = list.length === 0 ? 'it may call none' : `it may call ${list.slice(0, MAX_NAMED).join(', ')}${more}`
  return new SwitchyardError(
    'FORBIDDEN',
    `this key may not call the ${param} ${JSON.stringify(asked.slice(0, 200))}: ${allowed}`,
    {
      details: { param, code: `${param}_not_allowed` },
    },
  )
}
