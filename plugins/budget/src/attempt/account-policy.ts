import { type Call, type ModelReply, type Next, type Policy, SwitchyardError } from '@switchyard/contract'
import { tightestOf } from '../limits/claim.ts'
import { COST_HEADER, claimHeaders } from '../limits/refusal.ts'
import { usdOfPico } from '../money.ts'
import type { Account, Accounts } from './account.ts'
import { bookCacheHit, type CacheHitOptions } from './cache-hit.ts'

export interface AccountContext extends CacheHitOptions {
  readonly name: string
  readonly accounts: Accounts
  /** Tells clients by headers. */
  readonly headers: boolean
}

const CACHE_HEADER = 'x-switchyard-cache'

/**
 * Sums up what the attempts of a call cost, tells the client by headers what is known when the reply begins, and books cache hits. A whole
 * reply bears its cost, a stream only what is left of the tightest budget.
 */
export function accountPolicy(context: AccountContext): Policy<'model.invoke'> {
  const { name, accounts, headers } = context
  return {
    name,
    stage: 'admit',
    operations: ['model.invoke'],
    async around(call: Call<'model.invoke'>, next: Next<'model.invoke'>): Promise<ModelReply> {
      const account = accounts.open(call.trace)
      let reply: ModelReply
      try {
        reply = await next(call)
      } catch (error) {
        accounts.close(call.trace)
        throw headers ? told(error, account) : error
      }
      accounts.close(call.trace)
      if (account.attempts === 0 && reply.headers[CACHE_HEADER] === 'hit')
        void reply.ended.then((ending) => bookCacheHit(call, ending, context))
      if (!headers) return reply
      const whole = reply.body instanceof Uint8Array
      const tightest = tightestOf(account.claims)
      const cost =
        whole && account.ended === account.attempts && account.pico !== undefined ? usdOfPico(account.pico) : undefined
      if (tightest === undefined && cost === undefined) return reply
      const more = { ...reply.headers, ...(tightest !== undefined && claimHeaders(tightest)) }
      if (cost !== undefined) more[COST_HEADER] = cost
      return { status: reply.status, headers: more, body: reply.body, ended: reply.ended }
    },
    explain: async () => ({ decisions: [{ decision: 'accounts' }] }),
  }
}

/** The error of a call that fell under budgets, with what is left of the tightest. */
function told(error: unknown, { claims }: Account): unknown {
  const tightest = tightestOf(claims)
  if (tightest === undefined || !SwitchyardError.is(error) || error.details?.headers !== undefined) return error
  const { code, message, retryable, retryAfterMs, plugin, details, cause } = error
  const said = new SwitchyardError(code, message, {
    retryable,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(plugin !== undefined && { plugin }),
    ...(cause !== undefined && { cause }),
    details: { ...details, headers: claimHeaders(tightest) },
  })
  if (error.stack !== undefined) said.stack = error.stack
  return said
}
