import type { IncomingMessage } from 'node:http'

/** One request as the fake upstream saw it. Times are epoch ms with fractions. Fields fill in as the exchange goes on. */
export interface Recorded {
  /** Position in `requests`. */
  readonly index: number
  readonly method: string
  /** With its query. */
  readonly path: string
  /** Lower-case names; repeated ones joined by `, `. */
  readonly headers: Readonly<Record<string, string>>
  /** Bytes as they came; empty until the whole body did. */
  readonly rawBody: Buffer
  /** `rawBody` as JSON, or the fields of a form, a file as its name and size; undefined where it is neither. */
  readonly body: unknown
  /** What the request suffered, as text; empty for nothing. */
  readonly fault: string
  /** When its headers were read. */
  readonly receivedAt: number
  /** When the reply's last byte was handed to the system; undefined if it never was. */
  readonly finishedAt: number | undefined
  /** When the exchange was over: the reply written whole, or the socket gone. */
  readonly closedAt: number | undefined
  /** The client left before the reply was whole. False where a fault closed the socket. */
  readonly closedBeforeEnd: boolean
  /** Bytes of the reply's body handed to the socket. */
  readonly bytesWritten: number
}

/** A record while it is being written. */
export type Recording = { -readonly [K in keyof Recorded]: Recorded[K] }

/** The upstream's memory. */
export interface Recorder {
  readonly requests: readonly Recorded[]
  /** Adds a request whose headers came. */
  add(request: IncomingMessage, receivedAt: number): Recording
  /** Marks a record's exchange as over and wakes who waits for it. */
  close(record: Recording): void
  /** The record at `index` once its exchange is over, also when it has not come yet. */
  whenClosed(index: number): Promise<Recorded>
  clear(): void
}

/** Makes an empty recorder. */
export function recorder(): Recorder {
  const requests: Recording[] = []
  const waiters = new Map<number, ((record: Recorded) => void)[]>()
  return {
    requests,
    add(request, receivedAt) {
      const record: Recording = {
        index: requests.length,
        method: request.method ?? '',
        path: request.url ?? '',
        headers: joined(request.headers),
        rawBody: Buffer.alloc(0),
        body: undefined,
        fault: '',
        receivedAt,
        finishedAt: undefined,
        closedAt: undefined,
        closedBeforeEnd: false,
        bytesWritten: 0,
      }
      requests.push(record)
      return record
    },
    close(record) {
      if (requests[record.index] !== record) return
      for (const wake of waiters.get(record.index) ?? []) wake(record)
      waiters.delete(record.index)
    },
    whenClosed(index) {
      const record = requests[index]
      if (record?.closedAt !== undefined) return Promise.resolve(record)
      return new Promise((resolve) => waiters.set(index, [...(waiters.get(index) ?? []), resolve]))
    },
    clear() {
      requests.length = 0
    },
  }
}

function joined(headers: IncomingMessage['headers']): Readonly<Record<string, string>> {
  const flat: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return flat
}
