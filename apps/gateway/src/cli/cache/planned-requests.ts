import { type BypassReason, modelKind, modelOptions, type Plan } from '@switchyard/cache'
import { type Call, quietTrace, SwitchyardError } from '@switchyard/contract'
import { systemClock } from '@switchyard/kernel'
import type { LoggedRequest } from './log-line.ts'

/** How the gateway that the log is for would be set: as the options `models` of its cache. */
export interface PlanSettings {
  readonly scope: 'key' | 'user' | 'team' | 'tenant' | 'public'
  readonly sampling: 'zero' | 'zero-or-unset' | 'any'
  readonly tools: boolean
}

/** What the gateway's cache would do with a request. */
export type Planned = { readonly plan: Plan } | { readonly bypass: BypassReason | 'invalid' }

/** Plans requests as the gateway does: the same keys, the same reasons. `invalid` is what it would refuse. */
export function planning({ scope, sampling, tools }: PlanSettings): (request: LoggedRequest) => Planned {
  const options = (modelOptions as { parse(value: unknown): Parameters<typeof modelKind>[0]['options'] }).parse({
    scope,
    sampling,
    tools,
    // A log has no body twice that the memo would know by its bytes.
    memoBytes: 0,
  })
  const { plan } = modelKind({ options, secret: 'keys of a log are shown to nobody', clock: systemClock })
  return (request) => {
    try {
      const found = plan(callOf(request))
      if ('key' in found) return { plan: found }
      return { bypass: 'bypass' in found ? found.bypass : 'invalid' }
    } catch (error) {
      if (!SwitchyardError.is(error, 'INVALID_REQUEST')) throw error
      return { bypass: 'invalid' }
    }
  }
}

const signal = new AbortController().signal

function callOf({ endpoint, model, body, headers, tenant, key, user }: LoggedRequest): Call<'model.invoke'> {
  return {
    id: 'log',
    operation: 'model.invoke',
    target: 'log',
    request: { endpoint, model, body, stream: body.stream === true, headers },
    principal: { tenant, keyId: key, roles: [], ...(user !== undefined && { user }) },
    signal,
    deadline: undefined,
    attempt: 1,
    idempotent: true,
    attributes: {},
    trace: quietTrace(),
  }
}
