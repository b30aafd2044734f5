/**
 * A typed capability token. Two ports are the same port when `id` and `version` are equal, never by identity,
 * so two installed copies of this package understand each other.
 */
export interface Port<T = unknown> {
  /** Lower-case name, unique over all plugins: `cache`, `sql`; a third party prefixes its own: `acme/fax`. */
  readonly id: string
  /** Whole number from 1. A new required member, or a changed meaning, is a new version. */
  readonly version: number
  readonly '~type'?: T
}

/** A need that is not exactly one instance. */
export interface Need<T = unknown> {
  readonly port: Port
  readonly arity: 'optional' | 'many'
  readonly '~type'?: T
}

// biome-ignore lint/suspicious/noExplicitAny: the element type of a record of ports differs row by row
export type Needs = Readonly<Record<string, Port<any> | Need<any>>>
// biome-ignore lint/suspicious/noExplicitAny: as above
export type Gives = Readonly<Record<string, Port<any>>>

/** What `setup` receives for what it requires. */
export type Resolved<R> = {
  readonly [K in keyof R]: R[K] extends Need<infer T> ? T : R[K] extends Port<infer T> ? T : never
}

/**
 * Makes a port token.
 * @throws TypeError when `id` is empty or `version` is not a whole number from 1.
 */
export function definePort<T>(id: string, version: number): Port<T> {
  if (id === '' || !Number.isInteger(version) || version < 1) {
    throw new TypeError(`definePort(${JSON.stringify(id)}, ${version}): give a name and a whole version from 1`)
  }
  return Object.freeze({ id, version })
}

/** Asks for at most one instance: `undefined` when the assembly has none. */
export function optional<T>(port: Port<T>): Need<T | undefined> {
  return Object.freeze({ port, arity: 'optional' as const })
}

/** Asks for every instance, by instance name in assembly order; the map may be empty. */
export function many<T>(port: Port<T>): Need<ReadonlyMap<string, T>> {
  return Object.freeze({ port, arity: 'many' as const })
}
