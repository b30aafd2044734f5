import { type ModelEndpoint, SwitchyardError } from '@switchyard/contract'

export type Json = Readonly<Record<string, unknown>>

/** What a translation is made for, and who hears what it leaves out. */
export interface Reading {
  /** The endpoint that the target speaks, for messages. */
  readonly to: ModelEndpoint
  /** Told the path of each hint that the target's dialect has no word for. */
  readonly note: (param: string) => void
}

/**
 * Reads an object of a request field by field, and in the end refuses what nobody read, so that no field is dropped unseen. A null
 * counts as absent. Wrong shapes throw `INVALID_REQUEST`, what cannot be translated `UNSUPPORTED`; `details.param` is the path.
 */
export class Fields {
  readonly path: string
  readonly reading: Reading
  private readonly value: Json
  private readonly seen = new Set<string>()

  constructor(value: unknown, path: string, reading: Reading) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(path, 'must be an object')
    this.value = value as Json
    this.path = path
    this.reading = reading
  }

  /** The field's path from the body's root. */
  at(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`
  }

  get(name: string): unknown {
    this.seen.add(name)
    const value = this.value[name]
    return value === null ? undefined : value
  }

  text(name: string): string | undefined {
    const value = this.get(name)
    if (value !== undefined && typeof value !== 'string') throw invalid(this.at(name), 'must be a string')
    return value
  }

  needText(name: string): string {
    const value = this.text(name)
    if (value === undefined) throw invalid(this.at(name), 'is required')
    return value
  }

  number(name: string): number | undefined {
    const value = this.get(name)
    if (value !== undefined && typeof value !== 'number') throw invalid(this.at(name), 'must be a number')
    return value
  }

  flag(name: string): boolean | undefined {
    const value = this.get(name)
    if (value !== undefined && typeof value !== 'boolean') throw invalid(this.at(name), 'must be true or false')
    return value
  }

  list(name: string): readonly unknown[] | undefined {
    const value = this.get(name)
    if (value !== undefined && !Array.isArray(value)) throw invalid(this.at(name), 'must be an array')
    return value
  }

  object(name: string): Fields | undefined {
    const value = this.get(name)
    return value === undefined ? undefined : new Fields(value, this.at(name), this.reading)
  }

  needObject(name: string): Fields {
    const found = this.object(name)
    if (found === undefined) throw invalid(this.at(name), 'is required')
    return found
  }

  /** Reads each member of a list of objects. */
  each<T>(name: string, read: (fields: Fields) => T): T[] | undefined {
    return this.list(name)?.map((value, index) => read(new Fields(value, `${this.at(name)}[${index}]`, this.reading)))
  }

  /** A hint on price, speed or storage, which cannot change the answer: left out and told. An empty list or object says nothing. */
  hint(...names: readonly string[]): void {
    for (const name of names) if (!isEmpty(this.get(name))) this.reading.note(this.at(name))
  }

  /** The field may only have a value that the target's dialect means without saying it. */
  only(name: string, ...allowed: readonly unknown[]): void {
    const value = this.get(name)
    if (!isEmpty(value) && !allowed.includes(value)) throw this.unsupported(name)
  }

  unsupported(name: string, mend?: string): SwitchyardError {
    return unsupported(this.at(name), this.reading.to, mend)
  }

  /** Throws `UNSUPPORTED` for the first field that was not read. */
  end(): void {
    for (const name in this.value)
      if (!this.seen.has(name) && this.value[name] !== null && this.value[name] !== undefined) throw this.unsupported(name)
  }
}

/** `target[name] = value`, where there is one. */
export function put(target: Record<string, unknown>, name: string, value: unknown): void {
  if (value !== undefined) target[name] = value
}

export function invalid(param: string, what: string): SwitchyardError {
  const told = param === '' ? 'the body' : `'${param}'`
  return new SwitchyardError('INVALID_REQUEST', `${told} ${what}`, { details: { param } })
}

export function unsupported(param: string, to: ModelEndpoint, mend?: string): SwitchyardError {
  const message = `'${param}' cannot be translated for a target that speaks ${to}`
  return new SwitchyardError('UNSUPPORTED', mend === undefined ? message : `${message}: ${mend}`, { details: { param } })
}

function isEmpty(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return value === undefined
  return Array.isArray(value) ? value.length === 0 : Object.keys(value).length === 0
}
