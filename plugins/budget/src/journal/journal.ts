import { closeSync, fdatasync, ftruncateSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { type Clock, type Logger, SwitchyardError } from '@switchyard/contract'
import { leasePath, segmentPath } from './adopt.ts'
import { BEAT_MS, beat, rest } from './lease-file.ts'

/** Where the records of an attempt stand, until it is in the ledger. Filled in by the journal. */
export interface Mark {
  opened: Segment | undefined
  ended: Segment | undefined
  /** The ledger has it. */
  booked: boolean
}

interface Segment {
  readonly number: number
  readonly fd: number
  bytes: number
  /** Records that the ledger does not have yet. */
  pending: number
}

export interface JournalOptions {
  readonly directory: string
  /** Unique among all journals of the folder: letters, digits, dashes. */
  readonly name: string
  readonly fsyncMs: number
  readonly maxBytes: number
  readonly clock: Pick<Clock, 'now' | 'schedule'>
  readonly log: Logger
}

/** A journal is cut into files of this part of its limit, so that what was booked can go. */
const SEGMENTS = 8
const LARGEST_SEGMENT = 8 * 1024 * 1024

/**
 * The write-ahead journal of one process: records are in the file, by one write a turn of the event loop, when `opened` resolves. A
 * file goes when all its records are in the ledger. Nobody else writes to its files.
 */
export class Journal {
  readonly name: string
  readonly #options: JournalOptions
  readonly #segmentBytes: number
  readonly #segments: Segment[] = []
  #number = 0
  #current: Segment
  #text = ''
  #opened: Mark[] = []
  #ended: Mark[] = []
  #batch: PromiseWithResolvers<void> | undefined
  #armed = false
  #torn = false
  #unsynced = false
  #failure: unknown
  #cancels: (() => void)[] = []
  #closed = false

  /** Makes the folder and the first file. @throws SwitchyardError `CONFIG_INVALID` where it cannot. */
  constructor(options: JournalOptions) {
    this.#options = options
    this.name = options.name
    this.#segmentBytes = Math.min(LARGEST_SEGMENT, Math.ceil(options.maxBytes / SEGMENTS))
    try {
      mkdirSync(options.directory, { recursive: true })
      // Before the first file, which would else be taken for one that was left behind.
      this.#beat()
      this.#current = this.#begin()
    } catch (cause) {
      for (const cancel of this.#cancels) cancel()
      const message = `budget: no journal can be kept in ${options.directory}; name a folder that can be written (journal.directory)`
      throw new SwitchyardError('CONFIG_INVALID', message, { cause })
    }
    if (options.fsyncMs > 0) this.#sync()
  }

  /** Bytes of files with records that the ledger does not have. */
  get bytes(): number {
    return this.#segments.reduce((sum, { bytes, pending }) => (pending > 0 ? sum + bytes : sum), 0)
  }

  /** Why the last write failed; undefined while the disk takes what it is given. */
  get failure(): unknown {
    return this.#failure
  }

  /** Writes the beginning of an attempt down. Rejects `UPSTREAM_UNAVAILABLE` where the journal is full or the disk refuses. */
  opened(line: string, mark: Mark): Promise<void> {
    if (this.#segments.length > SEGMENTS && this.bytes > this.#options.maxBytes) return Promise.reject(full(this.#options))
    this.#text += line
    this.#opened.push(mark)
    this.#arm()
    this.#batch ??= Promise.withResolvers<void>()
    return this.#batch.promise
  }

  /** Writes an end down within this turn; nobody waits for it, since the ledger is given it too. */
  ended(line: string, mark: Mark): void {
    this.#text += line
    this.#ended.push(mark)
    this.#arm()
  }

  /** The attempt is in the ledger: its records are needed no longer. */
  booked(mark: Mark): void {
    const { opened, ended } = mark
    mark.booked = true
    mark.opened = undefined
    mark.ended = undefined
    if (opened !== undefined) this.#release(opened)
    if (ended !== undefined) this.#release(ended)
  }

  /** Writes what was given, at once. */
  write(): void {
    this.#armed = false
    if (this.#text === '') return
    const text = this.#torn ? `\n${this.#text}` : this.#text
    const opened = this.#opened
    const ended = this.#ended
    const batch = this.#batch
    this.#text = ''
    this.#opened = []
    this.#ended = []
    this.#batch = undefined
    try {
      if (this.#current.bytes >= this.#segmentBytes) this.#current = this.#begin()
      this.#append(this.#current, text)
      this.#failure = undefined
    } catch (cause) {
      if (this.#failure === undefined) this.#options.log.error({ error: cause }, 'the journal cannot be written')
      this.#failure = cause
      this.#torn = true
      batch?.reject(refused(this.#options, cause))
      return
    }
    this.#torn = false
    this.#unsynced = true
    const segment = this.#current
    segment.pending += opened.length
    for (const mark of opened) mark.opened = segment
    for (const mark of ended) {
      // A small ledger may be quicker than this turn.
      if (mark.booked) continue
      mark.ended = segment
      segment.pending += 1
    }
    batch?.resolve()
  }

  /** Closes the files; those with records that the ledger does not have stay for the next start. */
  close(): void {
    if (this.#closed) return
    this.write()
    this.#closed = true
    for (const cancel of this.#cancels) cancel()
    for (const { fd } of this.#segments) closeSync(fd)
    const { directory } = this.#options
    for (const { number, pending } of this.#segments) {
      if (pending === 0) rmSync(segmentPath(directory, this.name, number), { force: true })
    }
    const lease = leasePath(directory, this.name)
    rest(lease)
    if (this.#segments.every(({ pending }) => pending === 0)) rmSync(lease, { force: true })
  }

  #arm(): void {
    if (this.#armed) return
    this.#armed = true
    setImmediate(() => this.write())
  }

  #begin(): Segment {
    const number = this.#number++
    const fd = openSync(segmentPath(this.#options.directory, this.name, number), 'ax')
    const segment: Segment = { number, fd, bytes: 0, pending: 0 }
    this.#segments.push(segment)
    return segment
  }

  #append(segment: Segment, text: string): void {
    let rest: string | Buffer = text
    let left = Buffer.byteLength(text)
    for (;;) {
      const written: number = typeof rest === 'string' ? writeSync(segment.fd, rest) : writeSync(segment.fd, rest)
      segment.bytes += written
      left -= written
      if (left === 0) return
      rest = (typeof rest === 'string' ? Buffer.from(rest) : rest).subarray(written)
    }
  }

  #release(segment: Segment): void {
    segment.pending -= 1
    if (segment.pending > 0 || this.#closed) return
    if (segment === this.#current) {
      if (segment.bytes < this.#segmentBytes / 4 || this.#text !== '') return
      ftruncateSync(segment.fd, 0)
      segment.bytes = 0
      return
    }
    this.#segments.splice(this.#segments.indexOf(segment), 1)
    closeSync(segment.fd)
    rmSync(segmentPath(this.#options.directory, this.name, segment.number), { force: true })
  }

  #beat(): void {
    const { directory, clock, log } = this.#options
    try {
      beat(leasePath(directory, this.name), clock.now())
    } catch (error) {
      if (this.#cancels.length === 0) throw error
      log.warn({ error }, 'the journal cannot say that it lives; another node may book its open attempts as unsettled')
    }
    this.#cancels[0] = clock.schedule(BEAT_MS, () => this.#beat())
  }

  #sync(): void {
    const { clock, fsyncMs, log } = this.#options
    this.#cancels[1] = clock.schedule(fsyncMs, () => {
      const again = (): void => {
        if (!this.#closed) this.#sync()
      }
      if (!this.#unsynced) return again()
      this.#unsynced = false
      fdatasync(this.#current.fd, (error) => {
        if (error !== null && !this.#closed && error.code !== 'EBADF')
          log.warn({ error }, 'the journal cannot be synced to the disk')
        again()
      })
    })
  }
}

function full({ maxBytes }: JournalOptions): SwitchyardError {
  const message = `budget: the ledger cannot be written and the journal is full at ${maxBytes} bytes (journal.maxBytes); mend the database`
  return new SwitchyardError('UPSTREAM_UNAVAILABLE', message, { retryAfterMs: 5_000, details: { sent: false, status: 503 } })
}

function refused({ directory }: JournalOptions, cause: unknown): SwitchyardError {
  const message = `budget: the journal in ${directory} cannot be written; free the disk, or serve without it (journal.whenFull)`
  return new SwitchyardError('UPSTREAM_UNAVAILABLE', message, {
    retryAfterMs: 5_000,
    cause,
    details: { sent: false, status: 503 },
  })
}
