const BRAND = Symbol.for('@switchyard/secret')
const INSPECT = Symbol.for('nodejs.util.inspect.custom')
const REDACTED = '[redacted]'

/** A value that does not show itself: printing, logging, spreading and JSON give `[redacted]`. */
export interface Secret {
  /** The value in clear. Call it where the value leaves for its peer, and keep no copy. */
  reveal(): string
  toString(): string
  toJSON(): string
}

/** Wraps a value; a Secret, of any copy of this package, is returned as it is. */
export function secret(value: string | Secret): Secret {
  if (isSecret(value)) return value
  const show = (): string => REDACTED
  return Object.freeze(
    Object.defineProperties({} as Secret, {
      [BRAND]: { value: true },
      reveal: { value: () => value },
      toString: { value: show },
      toJSON: { value: show },
      [INSPECT]: { value: show },
    }),
  )
}

/** True for a Secret of any copy of this package. */
export function isSecret(value: unknown): value is Secret {
  return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[BRAND] === true
}
