import type { Catalog, Entry, Tier } from '@switchyard/catalog'
import type { Mark } from '../journal/journal.ts'
import type { Opening } from '../ledger/columns.ts'
import type { Claim } from '../limits/claim.ts'
import type { Member } from './roster.ts'
import type { Subject } from './subject.ts'

const NO_CELLS: Opening = Object.freeze([])

/** One attempt on its way, from before it is sent until it is in the ledger. A class, since every call makes one. */
export class Attempt implements Mark, Member {
  opened: Mark['opened'] = undefined
  ended: Mark['ended'] = undefined
  booked = false
  readonly id: string
  readonly at: number
  readonly subject: Subject
  readonly tier: Tier
  readonly claims: readonly Claim[]
  readonly baseline: string | undefined
  /** As they were when it began: an update of the catalog meanwhile changes no price of it. */
  readonly catalog: Catalog
  readonly entry: Entry | undefined
  /** Cells of `OPENING_COLUMNS`, and the same as a JSON list. */
  opening: Opening = NO_CELLS
  json = ''
  /** Tokens of the request, estimated; undefined where nothing had to be held. */
  inputTokens: number | undefined = undefined
  /** Bytes of the request, for an estimate later. */
  bytes = 0
  /** Nano-USD held at every claim. */
  held = 0n
  /** Lease at the store; undefined where none is held there. */
  lease: string | undefined = undefined
  /** Epoch ms at which the lease expires. */
  leaseUntil = 0
  /** What the store said of its filling when the lease was taken. */
  mark = 0n
  /** Claims whose slice of this node it is held at, while the store is away. */
  local = false
  settled = false
  place = -1
  /** Of the call; undefined where nobody can leave it. */
  signal: AbortSignal | undefined = undefined
  /** Epoch ms at which it was first seen that nobody waits for it any more. */
  leftAt: number | undefined = undefined
  /** Epoch ms at which its row was in the ledger; undefined before. */
  bookedAt: number | undefined = undefined

  constructor(id: string, at: number, subject: Subject, tier: Tier, claims: readonly Claim[], baseline: string | undefined) {
    this.id = id
    this.at = at
    this.subject = subject
    this.tier = tier
    this.claims = claims
    this.baseline = baseline
    this.catalog = subject.catalog
    this.entry = subject.entry
  }
}
