import type { Catalog, CatalogSource, Entry } from '@switchyard/catalog'
import { type Call, deploymentOf, type ModelRequest, type Principal } from '@switchyard/contract'
import type { Cell } from '../ledger/columns.ts'
import type { RecentAnswer } from '../ledger/recent-answers.ts'
import { BoundedMap } from '../limits/bounded-map.ts'
import type { BudgetBook, Payer, StandingClaims } from '../limits/budget-book.ts'
import { aliveKey, tenantTag } from '../limits/keys.ts'
import { OutputLengths } from './output-lengths.ts'
import { plain } from './tags.ts'

/** All that is the same for every call of one payer at one deployment, worked out once. */
export interface Subject extends Payer {
  readonly deployment: string
  readonly endpoint: string
  readonly stream: boolean
  readonly tenantTag: string
  readonly aliveKey: string
  /** Cells `tenant` to `stream` of an opening, and the same as JSON without brackets. */
  readonly cells: readonly Cell[]
  readonly json: string
  /** How long the answers of this model to this key are. */
  readonly lengths: OutputLengths
  standing: StandingClaims
  /** The catalog that `entry` is of. */
  catalog: Catalog
  entry: Entry | undefined
}

const MAX_SUBJECTS = 20_000
const UNSET: StandingClaims = Object.freeze({ version: -1, until: 0, claims: Object.freeze([]) })

/** The subjects of calls, kept while they come. */
export class Subjects {
  readonly #catalog: CatalogSource
  readonly #book: BudgetBook
  readonly #known = new BoundedMap<string, Subject>(MAX_SUBJECTS)
  readonly #lengths = new BoundedMap<string, OutputLengths>(MAX_SUBJECTS)
  #last: Subject | undefined

  constructor(catalog: CatalogSource, book: BudgetBook) {
    this.#catalog = catalog
    this.#book = book
  }

  /** Takes in how long answers were before this start, in their order. */
  recall(answers: readonly RecentAnswer[]): void {
    for (const { tenant, keyId, model, outputTokens } of answers) {
      if (Number.isSafeInteger(outputTokens)) this.#lengthsOf(tenant, keyId, model).add(outputTokens)
    }
  }

  of(call: Call<'model.invoke'>, now: number): Subject {
    const { principal, request } = call
    const deployment = deploymentOf(call)
    let subject = this.#last
    // Most calls follow one of the same subject, and need no key put together.
    if (subject === undefined || !isOf(subject, principal, request, deployment)) {
      subject = this.#find(principal, request, deployment)
      this.#last = subject
    }
    const { standing } = subject
    if (standing.version !== this.#book.version || now >= standing.until) subject.standing = this.#book.standing(subject, now)
    const catalog = this.#catalog.current()
    if (subject.catalog !== catalog) {
      subject.catalog = catalog
      subject.entry = catalog.get(subject.model) ?? catalog.lookup(subject.model)
    }
    return subject
  }

  #find(principal: Principal, { endpoint, stream, model }: ModelRequest, deployment: string): Subject {
    const key = `${principal.tenant}\n${principal.keyId}\n${principal.team ?? ''}\n${principal.user ?? ''}\n${endpoint}\n${stream}\n${model}\n${deployment}`
    let subject = this.#known.get(key)
    if (subject === undefined) {
      subject = this.#make(principal, model, endpoint, stream, deployment)
      this.#known.set(key, subject)
    }
    return subject
  }

  #make(given: Principal, model: string, endpoint: string, stream: boolean, deployment: string): Subject {
    const principal: Principal = { ...given }
    const slash = model.indexOf('/')
    const provider = slash === -1 ? '' : model.slice(0, slash)
    const facts: readonly Cell[] = [
      principal.tenant,
      principal.team ?? null,
      principal.keyId,
      principal.user ?? null,
      provider,
      model,
      deployment,
      endpoint,
      stream ? 1 : 0,
    ]
    const cells = facts.map((cell) => (typeof cell === 'string' ? plain(cell) : cell))
    const catalog = this.#catalog.current()
    return {
      principal,
      model,
      provider,
      deployment,
      endpoint,
      stream,
      tenantTag: tenantTag(principal.tenant),
      aliveKey: aliveKey(principal.tenant),
      cells,
      json: JSON.stringify(cells).slice(1, -1),
      lengths: this.#lengthsOf(principal.tenant, principal.keyId, model),
      standing: UNSET,
      catalog,
      entry: catalog.get(model) ?? catalog.lookup(model),
    }
  }

  #lengthsOf(tenant: string, keyId: string, model: string): OutputLengths {
    const key = `${tenant}\n${keyId}\n${model}`
    let lengths = this.#lengths.get(key)
    if (lengths === undefined) {
      lengths = new OutputLengths()
      this.#lengths.set(key, lengths)
    }
    return lengths
  }
}

/** Whether a subject is the one of such a call. */
function isOf(subject: Subject, principal: Principal, request: ModelRequest, deployment: string): boolean {
  const { tenant, keyId, team, user } = subject.principal
  return (
    subject.model === request.model &&
    subject.deployment === deployment &&
    subject.endpoint === request.endpoint &&
    subject.stream === request.stream &&
    tenant === principal.tenant &&
    keyId === principal.keyId &&
    (team ?? '') === (principal.team ?? '') &&
    (user ?? '') === (principal.user ?? '')
  )
}
