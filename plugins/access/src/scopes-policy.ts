import { type Call, type Policy, type Scopes, SwitchyardError } from '@switchyard/contract'
import { allows, allowsAny } from './name-match.ts'

type ModelCall = Call<'model.invoke'>

/** What of a request can name another model than its `model` does. Names are compared in lower case. */
export interface Steering {
  readonly headers: readonly string[]
  readonly fields: readonly string[]
}

/** Some servers take a field however its letters are cased, the last one of them: it must be the one that was judged. */
const MODEL = 'model'

/**
 * Refuses calls that the caller's key is not for: `FORBIDDEN`, naming what is allowed. A principal without scopes was made by code of
 * this process, and passes.
 * @param steering Refused where models are restricted.
 */
export function scopesPolicy(steering: Steering): Policy<'model.invoke'> {
  const fields = new Set([MODEL, ...steering.fields])

  function steeredBy({ request }: ModelCall): string | undefined {
    const { headers, body } = request
    if (headers !== undefined) for (const name of steering.headers) if (headers[name] !== undefined) return `header ${name}`
    for (const name in body) if (name !== MODEL && fields.has(name.toLowerCase())) return `field ${name}`
    return undefined
  }

  function refusal(call: ModelCall, { models, endpoints }: Scopes): SwitchyardError | undefined {
    const { endpoint, model } = call.request
    if (!allows(endpoints, endpoint)) return refused('endpoint', endpoint, endpoints)
    if (allowsAny(models)) return undefined
    if (!allows(models, model)) return refused('model', model, models)
    const by = steeredBy(call)
    if (by === undefined) return undefined
    const [kind, name] = by.split(' ')
    return new SwitchyardError(
      'FORBIDDEN',
      `this key may call certain models only, so that the ${by}, which can name another, is not for it`,
      { details: { param: name, code: `${kind}_not_allowed` } },
    )
  }

  return {
    name: 'access/scopes',
    stage: 'admit',
    operations: ['model.invoke'],
    around(call, next) {
      const { scopes } = call.principal
      if (scopes === undefined || (allowsAny(scopes.models) && allowsAny(scopes.endpoints))) return next(call)
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
