import { type Call, type SqlResult, SwitchyardError } from '@switchyard/contract'
import { LRUCache } from 'lru-cache'
import { keyedDigest } from '../keys/keyed-digest.ts'
import { EVERYTHING, tableTag, tagName, tenantTag } from '../keys/tags.ts'
import type { BypassPlan, BypassReason, Kept, Kind, Plan, WritePlan } from '../kind.ts'
import { type KnownTarget, knownTargets } from './databases.ts'
import type { Dialect } from './dialect.ts'
import type { Narrowing } from './narrowing.ts'
import type { SqlOptions, SqlRule } from './options.ts'
import { resultFrom } from './result-bytes.ts'
import { isByReference, joined, sqlFrames } from './sql-frames.ts'
import { paramsField } from './sql-params.ts'
import { mayMeanNow, type Statement, statementOf } from './statement.ts'
import { type Wishes, wishesOf } from './wishes.ts'

/** What a statement's texts are told apart by, and their results kept. */
export interface SqlKindOptions {
  readonly options: SqlOptions
  /** What keys are digests under. */
  readonly secret: string | Uint8Array
  /** By instance of the sql port. */
  readonly dialects: ReadonlyMap<string, Dialect>
  /** By dialect, as `loadNarrowing` gives them. */
  readonly narrowings: ReadonlyMap<Dialect, Narrowing>
}

/** A stored result, known to be one. */
export interface SqlReady {
  readonly payload: Uint8Array
  /** What the look at it gave: for the first who asks. */
  first: SqlResult | undefined
}

type SqlCall = Call<'sql.query'>

/** A statement with what was found of it, kept by its text. */
interface Looked {
  readonly statement: Statement
  /** Of a read: what stands in it as a table, where a parser told. */
  readonly tables: ReadonlySet<string> | undefined
  readonly tags: readonly string[]
}

/** Version of keys, payloads and rules: another one shares nothing. */
const VERSION = 1
const MEMO_BYTES = 8_388_608
/** Longer texts are looked at each time, so that they do not push out the rest. */
const LONGEST_KEPT = 65_536
/** What a kept text takes beside its characters. */
const ENTRY_BYTES = 512
const MODE = 'rows'
const NEVER: BypassPlan = Object.freeze({ bypass: 'off', wish: 'only-if-cached' })
const OUTER_SPACE = /^[ \t\n\r\f]+|[ \t\n\r\f]+$/g

/**
 * The kind of `sql.query`. A read is kept under its tenant, scope, target, text and parameters, and bears the tags of the database and of every
 * name in it that may be a table; a write tells the tags of what it changes. Throws `CONFIG_INVALID` where options name no instance.
 */
export function sqlKind({ options, secret, dialects, narrowings }: SqlKindOptions): Kind<'sql.query', SqlReady> {
  const targets = knownTargets(options, dialects)
  for (const { dialect, rules } of targets.values()) {
    if (!narrowings.has(dialect) && rules.some(({ match }) => match.tables !== undefined)) throw needsParser()
  }
  const looked = new LRUCache<string, Looked>({
    maxSize: MEMO_BYTES,
    sizeCalculation: (_, key) => key.length * 2 + ENTRY_BYTES,
  })
  // Texts whose results have no form in bytes, of a driver with classes of its own.
  const untold = new LRUCache<string, true>({ max: 1_000 })
  const frames = sqlFrames()

  function look(name: string, target: KnownTarget, text: string): Looked {
    const key = `${name.length}:${name}${text}`
    const known = looked.get(key)
    if (known !== undefined) return known
    const found = lookAnew(name, target, text)
    if (text.length <= LONGEST_KEPT) looked.set(key, found)
    return found
  }

  function lookAnew(name: string, { dialect, known, changedWith }: KnownTarget, text: string): Looked {
    const statement = statementOf(text, dialect, known)
    if (statement.kind === 'write') {
      return { statement, tables: undefined, tags: changedWith(statement.table) }
    }
    if (statement.kind === 'bypass') return { statement, tables: undefined, tags: [] }
    const parsed = narrowings.get(dialect)?.(text, statement.names)
    const names = parsed === undefined ? statement.names : new Set([...parsed.unclear, ...statement.places])
    return {
      statement,
      tables: parsed?.tables,
      tags: [tableTag(name), ...[...names].map((one) => tableTag(name, one))],
    }
  }

  function plan(call: SqlCall): Plan | WritePlan | BypassPlan {
    const target = targets.get(call.target)
    if (target === undefined) return call.attributes.cache === 'only-if-cached' ? NEVER : bypass('off')
    const { params } = call.request
    const text = call.request.sql.replace(OUTER_SPACE, '')
    const found = look(call.target, target, text)
    if (found.statement.kind === 'write') return { writes: found.tags }
    const wishes = wishesOf(call.attributes)
    if (wishes.wish === 'no-store') return bypass('no-store')
    const { purpose } = call.attributes
    if (purpose !== undefined && purpose !== 'refresh') return bypass('own-call')
    const past = (reason: BypassReason): BypassPlan =>
      wishes.wish === 'only-if-cached' ? { bypass: reason, wish: wishes.wish } : bypass(reason)
    if (found.statement.kind === 'bypass') return past(found.statement.reason)
    const rule = ruleFor(target.rules, found.tables, wishes)
    if (typeof rule === 'string') return past(rule)
    const scope = scopeOf(call, rule)
    if (scope === undefined) return past('personal')
    if (params.some((one) => typeof one === 'string' && mayMeanNow(one))) return past('not-deterministic')
    if (untold.has(text)) return past('content')
    const field = paramsField(params)
    if (typeof field === 'string') return past(field)
    const { tenant } = call.principal
    const partition = keyedDigest(secret, ['sql.query', VERSION, options.epoch, tenant, rule.scope, scope, call.target])
    return {
      key: `q:${keyedDigest(secret, [partition, text, field])}`,
      partition,
      mode: MODE,
      tags: [EVERYTHING, ...found.tags, tenantTag(tenant), ...wishes.tags.map((tag) => tenantTag(tenant, tagName('tag', tag)))],
      ttlMs: rule.ttlMs,
      staleMs: rule.staleMs,
      maxAgeMs: wishes.maxAgeMs,
      wish: wishes.wish,
      likeness: undefined,
      strict: rule.mode === 'strict',
    }
  }

  return {
    operation: 'sql.query',
    plan,
    frames: (reply) => frames.framesOf(reply),
    assemble: (all) => frames.assembled(all),
    keep: (call, all) => kept(call, all),
    open: (payload) => ({ ready: { payload, first: resultFrom(payload) }, bytes: payload.byteLength }),
    answer(ready) {
      const { first, payload } = ready
      ready.first = undefined
      return first ?? resultFrom(payload)
    },
    wordsOf: () => undefined,
    explain: (call) => explained(call),
  }

  function kept(call: SqlCall, all: readonly Uint8Array[]): Kept {
    if (isByReference(all)) {
      untold.set(call.request.sql.replace(OUTER_SPACE, ''), true)
      return { refused: 'content' }
    }
    const most = mostBytes(call)
    const size = all.reduce((sum, one) => sum + one.byteLength, 0)
    return size > most ? { refused: 'too-large' } : { payload: joined(all), by: call.target }
  }

  function mostBytes({ target, request, attributes }: SqlCall): number {
    const known = targets.get(target)
    if (known === undefined) return 0
    const { tables } = look(target, known, request.sql.replace(OUTER_SPACE, ''))
    const rule = ruleFor(known.rules, tables, wishesOf(attributes))
    return typeof rule === 'string' ? 0 : rule.maxBytes
  }

  function explained(call: SqlCall): Readonly<Record<string, unknown>> {
    const target = targets.get(call.target)
    if (target === undefined) return { target: call.target, rules: 'none names this target' }
    const { dialect, database, rules } = target
    const { statement, tables } = look(call.target, target, call.request.sql.replace(OUTER_SPACE, ''))
    const rule = statement.kind === 'read' ? ruleFor(rules, tables, wishesOf(call.attributes)) : undefined
    return {
      target: call.target,
      database,
      dialect,
      statement: statement.kind,
      ...(statement.kind === 'bypass' && { reason: statement.reason }),
      ...(statement.kind === 'write' && { changes: statement.table ?? 'any table' }),
      ...(tables !== undefined && { tables: [...tables] }),
      ...(typeof rule === 'object' && { mode: rule.mode, scope: rule.scope, ttlMs: rule.ttlMs, staleMs: rule.staleMs }),
      parameters: call.request.params.length,
    }
  }
}

function needsParser(): SwitchyardError {
  return new SwitchyardError(
    'CONFIG_INVALID',
    'cache: sql.rules names tables, and node-sql-parser, which tells them from columns, is not installed; install it, or match by targets alone',
  )
}

function bypass(reason: BypassReason): BypassPlan {
  return { bypass: reason }
}

/** The first rule that fits, or why there is none. */
function ruleFor(
  rules: readonly SqlRule[],
  tables: ReadonlySet<string> | undefined,
  { maxAgeMs }: Wishes,
): SqlRule | 'off' | 'tables-unknown' {
  let unknown = false
  for (const rule of rules) {
    if (rule.whenAsked && maxAgeMs === undefined) continue
    const { tables: wanted } = rule.match
    if (wanted === undefined) return rule
    if (tables === undefined) unknown = true
    else if ([...tables].every((one) => wanted.includes(one))) return rule
  }
  return unknown ? 'tables-unknown' : 'off'
}

/** Who shares the result beside the tenant; undefined where the call does not tell. */
function scopeOf({ principal }: SqlCall, { scope }: SqlRule): string | undefined {
  if (scope === 'tenant') return ''
  return scope === 'key' ? principal.keyId : principal.user
}
