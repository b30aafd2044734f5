/** A server that tests may use. */
export interface Ready {
  readonly status: 'ready'
  readonly name: ServiceName
  readonly url: string
  /** As the server itself says it. */
  readonly version: string
  /** Which step answered: `POSTGRES_URL`, `found on 127.0.0.1:5432`, `started`. */
  readonly how: string
  /** Stops it if this process started it; else does nothing. Idempotent. */
  release(): Promise<void>
}

/** A server that could not be had. Said by name, never a silent skip. */
export interface NotRun {
  readonly status: 'not-run'
  readonly name: ServiceName
  readonly because: string
  /** What a person may do about it. */
  readonly get: string
}

export type Outcome = Ready | NotRun
export type ServiceName = 'postgres' | 'redis'

/** A process with what is needed to know it again: a reused number has another start time. */
export interface ProcessId {
  readonly pid: number
  readonly startedAt: string
}

/** A server that was started here. */
export interface Started {
  readonly url: string
  readonly version: string
  stop(): Promise<void>
}

/** What the resolver needs to know of a server. One row in `table.ts`. */
export interface Service {
  readonly name: ServiceName
  /** Environment variable that names a server of the user's. */
  readonly urlVariable: string
  /** Where it listens when it is installed as usual. */
  readonly usualUrl: string
  /** Versions that the suites were run on, as their beginnings. */
  readonly verified: readonly string[]
  /** Proves by protocol that this server answers at `url`, and asks its version. Rejects with the reason. */
  probe(url: string): Promise<string>
  /** Folder of the programs where they are installed. */
  findPrograms(): string | undefined
  /** Starts one on a free port of 127.0.0.1 with a data folder of its own. `kept` outlives this process. */
  start(programs: string, options: { readonly kept: boolean }): Promise<Started>
  /** Package of the system's that brings it. */
  readonly systemPackage: string
}
