import assert from 'node:assert/strict'
import { type Access, access, type CredentialHeaders, type Identity, SwitchyardError } from '@switchyard/contract'
import type { ConformanceCase, Mutant, Suite } from '../../conformance/suite.ts'

const JUNK = ['', 'Bearer ', 'Bearer sk-canary-1234', 'sk-1234', 'Basic YTpi', "' OR 1=1 --", 'eyJhbGciOiJub25lIn0.e30.']
const CARRIERS = ['authorization', 'x-api-key', 'api-key', 'x-portkey-api-key']

/** What an attempt ended with; an identity where none must be. */
async function refusalOf(instance: Access, headers: CredentialHeaders): Promise<SwitchyardError> {
  let found: Identity
  try {
    found = await instance.authenticate(headers, { source: '192.0.2.1' })
  } catch (error) {
    assert.ok(SwitchyardError.is(error, 'UNAUTHENTICATED'), `it ended with ${String(error)}`)
    return error
  }
  throw new assert.AssertionError({ message: `${JSON.stringify(headers)} was taken for ${found.principal.keyId}` })
}

const cases: readonly ConformanceCase<Access>[] = [
  {
    id: 'access.authenticate.nobody',
    promise: 'who brings no credential is `UNAUTHENTICATED`: there is no anonymous default',
    async check({ instance }) {
      await refusalOf(instance, {})
      await refusalOf(instance, { host: 'gateway.example', authorization: undefined })
    },
  },
  {
    id: 'access.authenticate.junk',
    promise: 'what is no credential of ours is `UNAUTHENTICATED`, in whichever header',
    async check({ instance }) {
      for (const carrier of CARRIERS) for (const text of JUNK) await refusalOf(instance, { [carrier]: text })
    },
  },
  {
    id: 'access.authenticate.says-nothing',
    promise: 'no refusal repeats the credential',
    async check({ instance }) {
      const { message } = await refusalOf(instance, { authorization: 'Bearer sk-canary-1234' })
      assert.ok(!message.includes('canary'), 'the message holds what was sent')
    },
  },
  {
    id: 'access.configured.stays',
    promise: 'asking changes nothing about whether anyone could be let in',
    async check({ instance }) {
      const before = instance.configured()
      await refusalOf(instance, { 'x-api-key': 'sk-canary-1234' })
      assert.equal(instance.configured(), before)
    },
  },
]

const SOMEONE: Identity = {
  principal: { tenant: 'default', keyId: 'anonymous', roles: [] },
  carrier: 'authorization',
  class: 'virtual',
}

const mutants: readonly Mutant<Access>[] = [
  {
    name: 'has-an-anonymous-default',
    killedBy: 'access.authenticate.nobody',
    mutate: (right) => ({
      ...right,
      authenticate: (headers, options) =>
        CARRIERS.some((carrier) => headers[carrier] !== undefined) ? right.authenticate(headers, options) : SOMEONE,
    }),
  },
  {
    name: 'falls-through-to-a-default',
    killedBy: 'access.authenticate.junk',
    mutate: (right) => ({
      ...right,
      authenticate: async (headers, options) => {
        if (headers['api-key'] === undefined) return right.authenticate(headers, options)
        return SOMEONE
      },
    }),
  },
  {
    name: 'repeats-the-credential',
    killedBy: 'access.authenticate.says-nothing',
    mutate: (right) => ({
      ...right,
      authenticate(headers) {
        throw new SwitchyardError('UNAUTHENTICATED', `${String(headers.authorization)} is not known here; send another`)
      },
    }),
  },
  {
    name: 'opens-after-a-failure',
    killedBy: 'access.configured.stays',
    mutate(right) {
      let asked = 0
      return {
        configured: () => right.configured() !== asked > 0,
        authenticate(headers, options) {
          asked += 1
          return right.authenticate(headers, options)
        },
      }
    },
  },
]

/** What all that tell who asks promise where nobody may be let in, and some that break each promise. */
export const accessSuite: Suite<Access> = { port: access, cases, mutants }
