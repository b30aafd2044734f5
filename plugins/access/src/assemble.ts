import {
  type Access,
  type Bus,
  type Clock,
  type KeyRecord,
  type Keys,
  type Logger,
  type Policy,
  type SqlDatabase,
  SwitchyardError,
} from '@switchyard/contract'
import { authenticator, type Kind } from './authenticate.ts'
import type { LoginFailed } from './events.ts'
import { watchFirstKey } from './first-key.ts'
import { joinFleet } from './fleet.ts'
import { guesses } from './guesses.ts'
import { keyCheck } from './key-check.ts'
import { keyKind } from './key-kind.ts'
import { keyStore } from './key-store.ts'
import { type KeyHappening, keysPort } from './keys-port.ts'
import { type KnownCredentials, knownCredentials } from './known-credentials.ts'
import type { AccessOptions } from './options.ts'
import { openPeppers } from './peppers.ts'
import { scopesPolicy } from './scopes-policy.ts'
import { openTables } from './statements.ts'
import { gatherUses } from './uses.ts'

export interface AssembleParts {
  readonly options: AccessOptions
  readonly sql: SqlDatabase | undefined
  readonly bus: Bus | undefined
  /** Checks tokens; undefined where no issuer is configured. */
  readonly tokens: Kind | undefined
  readonly clock: Clock
  readonly log: Logger
  onClose(release: () => Promise<void> | void): void
  happened(happening: KeyHappening): void
  failed(failure: LoginFailed): void
}

/** What the plugin gives. */
export interface Assembled {
  readonly access: Access
  readonly keys: Keys
  readonly policy: Policy<'model.invoke'>
}

/** Opens the tables and puts the parts together. Rejects `CONFIG_INVALID` where nobody could ever be let in. */
export async function assemble(parts: AssembleParts): Promise<Assembled> {
  const { options, sql, tokens, clock, failed } = parts
  if (sql === undefined && tokens === undefined)
    throw new SwitchyardError(
      'CONFIG_INVALID',
      'access has neither a database for keys nor an issuer of tokens: add a sql plugin, such as connector-sqlite, or set "jwt"',
    )
  const known = knownCredentials(options.cacheSize)
  const stored = sql === undefined ? undefined : await openKeys(parts, sql, known)
  const authenticate = authenticator({
    keys: stored?.kind,
    tokens,
    known,
    guesses: guesses(options.guessing, () => clock.monotonic()),
    outageGraceMs: options.outageGraceMs,
    clock,
    noteUse: stored?.noteUse ?? (() => {}),
    failed,
  })
  const configured = tokens !== undefined || stored === undefined ? () => true : stored.exists
  return {
    access: Object.freeze({ configured, authenticate }),
    keys: stored?.keys ?? NO_KEYS,
    policy: scopesPolicy({ headers: options.steeringHeaders, fields: options.steeringFields }),
  }
}

interface OpenedKeys {
  readonly kind: Kind
  readonly keys: Keys
  exists(): boolean
  noteUse(id: string, digest: string, at: number): void
}

async function openKeys(parts: AssembleParts, sql: SqlDatabase, known: KnownCredentials): Promise<OpenedKeys> {
  const { options, bus, clock, log, onClose, happened } = parts
  await openTables(sql, clock.now())
  const peppers = await openPeppers(options.peppers, sql, clock.now())
  const store = keyStore(sql, () => clock.now())
  const first = watchFirstKey({ any: store.any, intervalMs: options.cacheTtlMs, clock, log })
  const { usageFlushMs: flushMs, cacheSize: maxGathered, topic } = options
  const uses = gatherUses({ write: store.noteUses, flushMs, maxGathered, clock, log })
  const heard = (id: string): void => {
    first.made()
    known.forget(id)
  }
  const fleet = joinFleet({ bus, topic, clock, log, heard })
  const unknown = new Set<string>()
  const check = keyCheck({
    store,
    peppers,
    now: () => clock.now(),
    unknownPepper(id, kid) {
      if (!unknown.has(kid)) log.warn({ key: id, kid }, 'the digest of a key is of a pepper that is not in "peppers"')
      unknown.add(kid)
    },
    rehash: (id, from, to) =>
      void store.rehash(id, from, to).catch((error: unknown) => log.warn({ err: error, key: id }, 'a digest stays as it is')),
  })
  onClose(() => uses.close())
  onClose(() => fleet.close())
  onClose(() => first.close())
  await Promise.all([first.start(), fleet.start()])
  const changed = (id: string): void => {
    heard(id)
    fleet.tell(id)
  }
  return {
    kind: keyKind(check, options.cacheTtlMs),
    keys: keysPort({ store, peppers, clock, changed, flushUses: uses.flush, happened }),
    exists: first.exists,
    noteUse: uses.note,
  }
}

const none = (): Promise<never> =>
  Promise.reject(new SwitchyardError('UNSUPPORTED', 'access keeps no keys without a database: add a sql plugin'))
const NO_KEYS: Keys = Object.freeze({
  create: none,
  list: (): Promise<readonly KeyRecord[]> => none(),
  get: none,
  update: none,
  rotate: none,
  revoke: none,
})
