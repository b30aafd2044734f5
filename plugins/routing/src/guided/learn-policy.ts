import type { Call, Clock, ModelEnding, Policy, WellKnownAttributes } from '@switchyard/contract'
import type { Expectations } from '../expectations.ts'
import type { RecentCalls } from '../feedback/recent-calls.ts'
import type { Sessions } from '../session/sessions.ts'
import { taskClassFor } from '../shape.ts'

/** Who wants to know how attempts on a route ended. */
export interface Learner {
  readonly sessions: Sessions | undefined
}

export interface LearnContext {
  readonly name: string
  readonly clock: Pick<Clock, 'now'>
  readonly expectations: Expectations
  readonly recent: RecentCalls
  /** By the name of the route; calls of others pass. */
  readonly learners: ReadonlyMap<string, Learner>
}

/** Learns from live endings, one upstream attempt at a time: how long replies are, whose cache is warm, who served what. */
export function learnPolicy({ name, clock, expectations, recent, learners }: LearnContext): Policy<'model.invoke'> {
  function note(call: Call<'model.invoke'>, { sessions }: Learner, ending: ModelEnding): void {
    if (ending.outcome !== 'complete') return
    const { principal, request } = call
    const { purpose, session, deployment, taskClass, arm, route } = call.attributes as WellKnownAttributes
    const asked = taskClass ?? taskClassFor(request)
    if (ending.usageSource !== 'none') expectations.add(request.model, asked, principal.keyId, ending.usage.outputTokens)
    if (purpose === 'shadow') return
    recent.note(call.id, { tenant: principal.tenant, route, taskClass: asked, arm, model: request.model })
    // A cascade keeps no cache of a session warm.
    if (purpose !== undefined || session === undefined || deployment === undefined) return
    if (ending.usageSource === 'none') return
    sessions?.served(`${principal.tenant}\n${session}`, deployment, ending.usage, clock.now())
  }

  return {
    name,
    stage: 'transport',
    operations: ['model.invoke'],
    around(call, next) {
      const { route } = call.attributes
      const learner = typeof route === 'string' ? learners.get(route) : undefined
      if (learner === undefined) return next(call)
      return next(call).then((reply) => {
        void reply.ended.then((ending) => note(call, learner, ending))
        return reply
      })
    },
    explain: async () => ({ decisions: [] }),
  }
}
