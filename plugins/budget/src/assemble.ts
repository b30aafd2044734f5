import type { CatalogSource } from '@switchyard/catalog'
import type { Budgets, Bus, Call, Counters, Policy, SetupContext, SqlDatabase, WellKnownAttributes } from '@switchyard/contract'
import { metadataOf } from '@switchyard/model-wire'
import { startAlerts } from './alerts/start.ts'
import { Accounts } from './attempt/account.ts'
import { accountPolicy } from './attempt/account-policy.ts'
import { attemptPolicy } from './attempt/attempt-policy.ts'
import { Books } from './attempt/books.ts'
import { Subjects } from './attempt/subject.ts'
import { Journal } from './journal/journal.ts'
import { recover } from './journal/recover.ts'
import { attemptIds, type Row } from './ledger/columns.ts'
import type { Ledger } from './ledger/port.ts'
import { ledgerReader } from './ledger/reader.ts'
import { recentAnswers } from './ledger/recent-answers.ts'
import { dialectOf, migrate } from './ledger/schema.ts'
import { knownOf, LedgerWriter } from './ledger/writer.ts'
import { Admission } from './limits/admission.ts'
import { adoptedDebt } from './limits/adopted.ts'
import type { BudgetAdmin } from './limits/budget-admin.ts'
import { BudgetBook } from './limits/budget-book.ts'
import { BudgetTable } from './limits/budget-table.ts'
import { standingOf } from './limits/claim.ts'
import { Compare } from './limits/compare.ts'
import { Debts } from './limits/debts.ts'
import { keepLeases } from './limits/keeper.ts'
import { Rebuild } from './limits/rebuild.ts'
import { LOOK_MS, Rehold } from './limits/rehold.ts'
import { Slices } from './limits/slices.ts'
import { Spent } from './limits/spent.ts'
import { Store } from './limits/store.ts'
import { sweep } from './limits/sweep.ts'
import { Thresholds } from './limits/thresholds.ts'
import { WaitingRoom } from './limits/waiting-room.ts'
import { nanoUsd } from './money.ts'
import type { BudgetOptions } from './options.ts'
import { repeat } from './repeat.ts'
import { costsOf } from './reports/costs.ts'
import type { Costs } from './reports/port.ts'

/** Ports of other plugins that the budget stands on. */
export interface BudgetDeps {
  readonly counters: Counters
  readonly sql: SqlDatabase
  readonly catalog: CatalogSource
  readonly bus: Bus | undefined
}

/** What the plugin offers. */
export interface Assembled {
  readonly ledger: Ledger
  readonly admin: BudgetAdmin
  readonly costs: Costs
  readonly budgets: Budgets
  readonly policies: readonly Policy[]
}

/** Puts all parts together, brings the tables up, and books what was left behind. Rejects as the port `sql` does. */
export async function assemble(ctx: SetupContext<BudgetOptions, unknown>, deps: BudgetDeps): Promise<Assembled> {
  const { options, instance: plugin, clock, random, log, emit, onClose } = ctx
  const { counters, sql: database, catalog, bus } = deps
  const { leaseMs, graceMs, lateSettleMs, defaultOutputTokens } = options
  const dialect = dialectOf(database)
  await migrate(database, dialect)
  const nextId = attemptIds(random)
  const node = nextId(clock.now())
  const longestLeaseMs = leaseMs + graceMs + lateSettleMs
  const writer = new LedgerWriter({ database, dialect, clock, log })
  const journal = options.journal === undefined ? undefined : new Journal({ ...options.journal, name: node, clock, log })
  if (journal === undefined)
    log.warn({}, 'no journal is kept: a process that is killed loses its last rows (journal.directory)')
  onClose(() => journal?.close())
  onClose(() => writer.close())
  const adopted: Row[] = []
  const recovers = async (): Promise<void> => {
    if (journal === undefined || options.journal === undefined) return
    const { directory } = options.journal
    const onBooked = (row: Row): void => void adopted.push(row)
    const known = (ids: readonly string[]): Promise<ReadonlySet<string>> => knownOf(database, dialect, ids)
    await recover({ directory, name: node, writer, catalog, clock, log, defaultOutputTokens, known, onBooked })
  }
  await recovers()

  const book = new BudgetBook(longestLeaseMs)
  const table = new BudgetTable({ database, dialect, book, bus, clock, log, configured: options.budgets })
  await table.open()
  onClose(() => table.close())
  const spent = new Spent(database, dialect)
  const flush = (): Promise<void> => writer.flush()
  const floorUsd = options.anomalies.floorUsd
  const costs = costsOf({ database, dialect, clock, catalog, flush, floorUsd, budgets: () => book.all() })
  const toldOf = await startAlerts({
    plugin,
    node,
    database,
    dialect,
    clock,
    random,
    log,
    options: options.alerts,
    anomalies: options.anomalies,
    emit: (alert) => emit('budget:alert', alert),
    onClose,
  })
  const thresholds = new Thresholds({
    plugin,
    book,
    database,
    dialect,
    clock,
    log,
    onCrossed(crossed) {
      emit('budget:crossed', crossed)
      toldOf()
    },
  })
  onClose(() => thresholds.close())
  const onChanges: Thresholds['note'] = (changes, claims) => thresholds.note(changes, claims)
  const store = new Store({
    counters,
    clock,
    timeoutMs: options.storeTimeoutMs,
    onAway(error) {
      log.error({ error }, 'the counters of budgets cannot be asked')
      emit('budget:store-away', { plugin, error })
    },
    onBack: () => log.info({}, 'the counters of budgets can be asked again'),
  })
  const slices = new Slices({ store, clock, nodes: options.nodes, node, lateSettleMs })
  onClose(() => slices.close())
  const debts = new Debts({ store, slices, clock, node, log, flush, onChanges })
  onClose(() => debts.close())
  const tellOfAdopted = (): void => {
    for (const row of adopted.splice(0)) {
      const debt = adoptedDebt(row, book, clock.now())
      if (debt !== undefined) debts.settleLater(debt)
    }
  }
  tellOfAdopted()
  const room = new WaitingRoom(clock)
  const unknownNano = options.unknownPriceUsd === undefined ? undefined : nanoUsd(options.unknownPriceUsd)
  const books = new Books({
    journal,
    whenJournalFails: options.journal?.whenFull ?? 'refuse',
    writer,
    maxBufferedRows: options.maxBufferedRows,
    store,
    slices,
    debts,
    room,
    clock,
    log,
    unknownNano: unknownNano ?? 0n,
    onChanges,
  })
  const rebuild = new Rebuild({ book, counters, spent, clock, random, log, longestLeaseMs, flush })
  const rehold = new Rehold({ store, live: books.live, clock, lateSettleMs, log })
  const admission = new Admission({
    plugin,
    store,
    slices,
    rebuild,
    rehold,
    room,
    clock,
    leaseMs,
    graceMs,
    lateSettleMs,
    waitMs: options.waitMs,
    onUnsure({ claims, at, subject: { principal } }, lease) {
      debts.settleLater({ tenant: principal.tenant, lease, claims, nano: 0n, at, bookedAt: () => undefined })
    },
    onRefused: ({ budget: { name, level }, tenant }) => emit('budget:refused', { plugin, budget: name, level, tenant }),
  })
  const subjects = new Subjects(catalog, book)
  subjects.recall(await recentAnswers(database, dialect))
  const accounts = new Accounts()

  const cleanUp = async (): Promise<void> => {
    await recovers().catch((error: unknown) => log.warn({ error }, 'a journal that was left behind could not be booked'))
    tellOfAdopted()
    if (!book.isEmpty) await sweep({ store, database, dialect, writer, catalog, clock, log, defaultOutputTokens, onChanges })
  }
  const keep = (): Promise<void> => keepLeases({ store, slices, live: books.live, clock, leaseMs, graceMs, lateSettleMs, log })
  const timing = { clock, random }
  onClose(repeat(options.sweepMs, cleanUp, timing))
  onClose(repeat(Math.ceil(leaseMs / 3), keep, timing))
  if (store.isShared) onClose(repeat(LOOK_MS, () => rehold.look(), timing))
  onClose(repeat(options.refreshMs, () => table.refresh(), timing))
  const compare = new Compare({
    plugin,
    book,
    store,
    debts,
    spent,
    clock,
    random,
    log,
    longestLeaseMs,
    flush,
    onChanges,
    onDrift: (drift) => emit('budget:drift', drift),
  })
  onClose(repeat(options.compareMs, () => compare.run(), timing))

  return {
    ledger: { rows: ledgerReader(database, dialect), flush },
    admin: table,
    costs,
    budgets: { of: (call) => standingsOf(call, book, subjects, clock.now()) },
    policies: [
      accountPolicy({
        name: `${plugin}/account`,
        accounts,
        headers: options.headers,
        clock,
        subjects,
        journal,
        writer,
        nextId,
      }) as Policy,
      attemptPolicy({
        name: `${plugin}/attempt`,
        plugin,
        clock,
        log,
        book,
        subjects,
        accounts,
        admission,
        books,
        spent,
        nextId,
        forecast: options,
        unknownNano,
      }) as Policy,
    ],
  }
}

function standingsOf(call: Call, book: BudgetBook, subjects: Subjects, now: number): ReturnType<Budgets['of']> {
  if (book.isEmpty || call.operation !== 'model.invoke') return []
  const asked = call as Call<'model.invoke'>
  const subject = subjects.of(asked, now)
  const { session } = call.attributes as WellKnownAttributes
  const own = book.asksCalls ? book.perCall(subject.principal.tenant, metadataOf(asked.request), session, now) : []
  const claims = own.length === 0 ? subject.standing.claims : [...subject.standing.claims, ...own]
  const most = (a: { readonly used: bigint; readonly limit: bigint }, b: typeof a): number =>
    Number(b.used * a.limit - a.used * b.limit > 0n) - Number(b.used * a.limit - a.used * b.limit < 0n)
  return claims.map(standingOf).sort(most)
}
