import type { Trace } from '@switchyard/contract'

/** Clients commonly take 16 KiB of headers in all. */
const MAX_LENGTH = 8_192

/**
 * A trace as a header's value: JSON in ASCII, `{ decisions, measures }`. One that is too long loses its last decisions and says so in
 * `left_out`.
 */
export function traceHeader({ decisions, measures }: Trace): string {
  const numbers = Object.fromEntries(measures)
  for (let kept = decisions.length; kept > 0; kept--) {
    const leftOut = decisions.length - kept
    const text = ascii({ decisions: decisions.slice(0, kept), measures: numbers, ...(leftOut > 0 && { left_out: leftOut }) })
    if (text.length <= MAX_LENGTH) return text
  }
  const text = ascii({ decisions: [], measures: numbers, left_out: decisions.length })
  return text.length <= MAX_LENGTH ? text : ascii({ decisions: [], measures: {}, left_out: decisions.length })
}

function ascii(value: object): string {
  return JSON.stringify(value).replaceAll(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
