import { type Attributes, type Call, type ModelRequest, type Principal, quietTrace } from '@switchyard/contract'
import type { BypassPlan, Plan, WritePlan } from '../../../src/kind.ts'
import { type ModelInput, modelOptions } from '../../../src/model/options.ts'
import { type Planner, planner } from '../../../src/model/planner.ts'

export type ModelCall = Call<'model.invoke'>

export interface CallInput {
  readonly principal?: Partial<Principal>
  readonly request?: Partial<ModelRequest>
  readonly attributes?: Attributes
  readonly target?: string
  readonly id?: string
  readonly signal?: AbortSignal
}

export const CHAT: Readonly<Record<string, unknown>> = { model: 'm', messages: [{ role: 'user', content: 'What is a depot?' }] }

/** A call with what is given, and usual values for the rest. */
export function callOf({
  principal,
  request,
  attributes = {},
  target = 'provider',
  id = 'call-1',
  signal,
}: CallInput = {}): ModelCall {
  return {
    id,
    operation: 'model.invoke',
    target,
    request: { endpoint: 'chat/completions', model: 'm', body: CHAT, stream: false, ...request },
    principal: { tenant: 'acme', keyId: 'key-1', roles: [], ...principal },
    signal: signal ?? new AbortController().signal,
    deadline: undefined,
    attempt: 1,
    idempotent: true,
    attributes,
    trace: quietTrace(),
  }
}

/** A body as it comes over the wire. */
export function wired(body: unknown, text: string = JSON.stringify(body)): Pick<ModelRequest, 'body' | 'raw'> {
  return { body: JSON.parse(text) as ModelRequest['body'], raw: Buffer.from(text) }
}

export function plannerWith(options: ModelInput = {}, secret = 'a secret of tests'): Planner {
  return planner({ options: modelOptions.parse(options), secret, versionOf: () => undefined })
}

/** The plan of a call that is looked up. */
export function planned(of: Planner, call: ModelCall): Plan {
  const plan: Plan | BypassPlan | WritePlan = of.plan(call)
  if (!('key' in plan)) throw new Error(`not planned: ${JSON.stringify(plan)}`)
  return plan
}

/** Why a call is left alone; undefined where it is looked up. */
export function bypassOf(of: Planner, call: ModelCall): string | undefined {
  const plan = of.plan(call)
  return 'bypass' in plan ? plan.bypass : undefined
}
