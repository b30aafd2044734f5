import { createHash } from 'node:crypto'
import { type Call, type CounterRow, deploymentOf } from '@switchyard/contract'
import type { Dimension, Limit } from './options.ts'
import { type Quota, quotasOf, type Unit } from './quota.ts'
import { matches, modelRequestOf, valueIn } from './subject.ts'
import { amountOf, type TokenNeed } from './tokens.ts'

/** One counter that a call falls under. */
export interface PlanRow {
  readonly key: string
  readonly quota: Quota
}

/** Rows that can share a lease: one shard, and one time after which what was reserved is free. */
export interface Group {
  readonly kind: 'window' | 'slot'
  /** Of the lease. */
  readonly windowMs: number
  readonly rows: readonly PlanRow[]
  /** What a lease's id begins with: it holds the shard. */
  readonly idPrefix: string
  /** Rows as the counters take them; undefined where they hold tokens and differ from call to call. */
  readonly fixed: { readonly whole: readonly CounterRow[]; readonly share: readonly CounterRow[] } | undefined
}

/** All that is reserved for a call. */
export interface Plan {
  /** In the order they are reserved. The one that refused last goes first, so that a flood of refusals takes nothing elsewhere. */
  readonly groups: Group[]
  readonly tokens: boolean
}

/** What plans need to know of the plugin. */
export interface PlanContext {
  /** Instance name: what keys begin with. */
  readonly plugin: string
  readonly nodes: number
  readonly concurrencyLeaseMs: number
}

interface Placed {
  readonly limit: Limit
  readonly quotas: readonly Quota[]
  readonly ofTenant: boolean
}

/** Plans held at once; beyond it all are made anew. */
const MOST_PLANS = 10_000
/** Dimensions whose values mean the same to every tenant. */
const SHARED: ReadonlySet<Dimension> = new Set(['all', 'model', 'target'])

/** Finds which limits a call falls under, and remembers it for calls alike. Holds at most 10,000 plans. */
export class Plans {
  private readonly context: PlanContext
  private readonly placed: readonly Placed[]
  private readonly known = new Map<string, Plan | undefined>()
  private readonly reads: ReadonlySet<string>
  private readonly memoisable: boolean

  constructor(context: PlanContext, limits: readonly Limit[]) {
    this.context = context
    this.placed = limits.map((limit) => ({
      limit,
      quotas: quotasOf(limit, context.nodes, context.concurrencyLeaseMs),
      ofTenant: limit.per.some((dimension) => !SHARED.has(dimension)),
    }))
    this.reads = new Set(limits.flatMap(readsOf))
    this.memoisable = !this.reads.has('metadata')
  }

  /** Undefined where no limit is for the call. */
  of(call: Call): Plan | undefined {
    if (!this.memoisable) return this.make(call)
    const alike = this.likenessOf(call)
    const found = this.known.get(alike)
    if (found !== undefined || this.known.has(alike)) return found
    const plan = this.make(call)
    if (this.known.size >= MOST_PLANS) this.known.clear()
    this.known.set(alike, plan)
    return plan
  }

  /** Calls of one likeness have one plan: what limits look at, and no more, so that few plans serve many calls. */
  private likenessOf(call: Call): string {
    const { reads } = this
    const { principal } = call
    let alike = `${call.operation}\u0000${principal.tenant}`
    if (reads.has('key')) alike += `\u0000k${principal.keyId}`
    if (reads.has('team')) alike += `\u0000t${principal.team ?? '\u0000'}`
    if (reads.has('user')) alike += `\u0000u${principal.user ?? '\u0000'}`
    if (reads.has('model')) alike += `\u0000m${modelRequestOf(call)?.model ?? '\u0000'}`
    if (reads.has('target')) alike += `\u0000d${deploymentOf(call)}`
    return alike
  }

  private make(call: Call): Plan | undefined {
    const rows = new Map<string, { kind: Group['kind']; windowMs: number; tag: string; rows: PlanRow[] }>()
    const isModel = call.operation === 'model.invoke'
    for (const { limit, quotas, ofTenant } of this.placed) {
      if (!matches(limit.match, call)) continue
      const subject = subjectOf(limit.per, call)
      if (subject === undefined) continue
      const tag = ofTenant ? plain(call.principal.tenant) : `*${limit.name}${subject}`
      for (const quota of quotas) {
        if (quota.unit === 'tokens' && !isModel) continue
        const kind = quota.unit === 'concurrency' ? 'slot' : 'window'
        const place = `${kind} ${quota.windowMs} ${tag}`
        const group = rows.get(place) ?? { kind, windowMs: quota.windowMs, tag, rows: [] }
        rows.set(place, group)
        group.rows.push({ key: `${this.context.plugin}:{${tag}}:${limit.name}${subject}:${LETTER[quota.unit]}`, quota })
      }
    }
    if (rows.size === 0) return undefined
    const groups = [...rows.values()].sort((a, b) => order(a) - order(b)).map((group) => this.group(group))
    return { groups, tokens: groups.some(({ fixed }) => fixed === undefined) }
  }

  private group({ kind, windowMs, tag, rows }: Omit<Group, 'idPrefix' | 'fixed'> & { readonly tag: string }): Group {
    const idPrefix = `${this.context.plugin}:{${tag}}:`
    const fixed = rows.some(({ quota }) => quota.unit === 'tokens')
      ? undefined
      : {
          whole: rows.map(({ key, quota }) => ({ key, amount: 1n, limit: quota.most })),
          share: rows.map(({ key, quota }) => ({ key, amount: 1n, limit: quota.share })),
        }
    return { kind, windowMs, rows, idPrefix, fixed }
  }
}

/** The rows of a group for one call; `share` = against this node's part of each limit. */
export function counterRows(group: Group, need: TokenNeed | undefined, share: boolean): readonly CounterRow[] {
  const { fixed } = group
  if (fixed !== undefined) return share ? fixed.share : fixed.whole
  return group.rows.map(({ key, quota }) => {
    const limit = share ? quota.share : quota.most
    return { key, amount: need === undefined ? 1n : amountOf(quota, need, limit), limit }
  })
}

const LETTER: Readonly<Record<Unit, string>> = { requests: 'r', tokens: 't', concurrency: 'c' }

function order({ kind, windowMs }: Pick<Group, 'kind' | 'windowMs'>): number {
  return kind === 'window' ? windowMs : Number.POSITIVE_INFINITY
}

function subjectOf(per: Limit['per'], call: Call): string | undefined {
  let subject = ''
  for (const dimension of per) {
    const value = valueIn(dimension, call)
    if (value === undefined) return undefined
    subject += `:${plain(value)}`
  }
  return subject
}

const UNPLAIN = /[^\w./@+-]/
/** Longer values stand in keys by their hash: a client may send megabytes as metadata. */
const LONGEST_VALUE = 200

/** Text without what parts keys, so that two subjects never share one. */
function plain(value: string): string {
  if (value.length > LONGEST_VALUE) return `#${createHash('sha256').update(value).digest('base64url')}`
  return UNPLAIN.test(value) ? encodeURIComponent(value.toWellFormed()) : value
}

function readsOf({ per, match = {} }: Limit): readonly string[] {
  const { teams, users, keys, models, targets, metadata } = match
  const matched = { team: teams, user: users, key: keys, model: models, target: targets, metadata }
  return [
    ...per.map((dimension) => (dimension.startsWith('metadata.') ? 'metadata' : dimension)),
    ...Object.entries(matched).flatMap(([name, given]) => (given === undefined ? [] : [name])),
  ]
}
