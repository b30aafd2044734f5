import { type Clock, SwitchyardError } from '@switchyard/contract'
import { errors, jwtVerify } from 'jose'
import type { Kind } from './authenticate.ts'
import { principalOf } from './claims.ts'
import type { Jwks } from './jwks.ts'
import type { JwtOptions } from './options.ts'
import { sourcesOf } from './sources.ts'
import { claimedBy, issuerIn } from './token-text.ts'

/** An issuer with its keys. */
export interface Issuer {
  readonly rules: JwtOptions
  readonly jwks: Jwks
}

/** A token that was verified is taken unseen for a minute at most: so late counts a key that its issuer withdrew. */
const TTL_MS = 60_000
const ANYWHERE = sourcesOf(['*'])

/** Checks signed tokens: signature, algorithm, issuer, audience, times; then the rules of the issuer make the principal. */
export function tokenKind(issuers: readonly Issuer[], clock: Pick<Clock, 'now'>): Kind {
  const byName = new Map(issuers.map((issuer) => [issuer.rules.issuer, issuer]))
  return {
    ttlMs: TTL_MS,
    claimed: claimedBy,
    async check(text) {
      const issuer = byName.get(issuerIn(text) ?? '')
      if (issuer === undefined) return 'bad-token'
      const { rules, jwks } = issuer
      try {
        const { payload } = await jwtVerify(text, (header, token) => jwks.key(header, token), {
          issuer: rules.issuer,
          audience: [...rules.audience],
          algorithms: [...rules.algorithms],
          clockTolerance: rules.clockSkewMs / 1_000,
          currentDate: new Date(clock.now()),
          requiredClaims: rules.notBefore === 'required' ? ['exp', 'nbf'] : ['exp'],
        })
        const principal = principalOf(payload, rules)
        if (principal === undefined) return 'bad-token'
        const endsAt = (payload.exp as number) * 1_000 + rules.clockSkewMs
        return { principal, class: 'jwt', id: undefined, digest: undefined, sources: ANYWHERE, endsAt }
      } catch (error) {
        if (error instanceof errors.JOSEError) return 'bad-token'
        if (SwitchyardError.is(error)) throw error
        throw new SwitchyardError('INTERNAL', 'a token could not be verified; see the cause', { cause: error })
      }
    },
  }
}
