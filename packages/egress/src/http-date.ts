const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']

const IMF_FIXDATE = /^(?:mon|tue|wed|thu|fri|sat|sun), (\d{2}) ([a-z]{3}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) gmt$/i
const RFC_850 = /^(?:mon|tues|wednes|thurs|fri|satur|sun)day, (\d{2})-([a-z]{3})-(\d{2}) (\d{2}):(\d{2}):(\d{2}) gmt$/i
const ASCTIME = /^(?:mon|tue|wed|thu|fri|sat|sun) ([a-z]{3}) ([ \d]\d) (\d{2}):(\d{2}):(\d{2}) (\d{4})$/i
const ISO_8601 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?([Zz]|[+-]\d{2}:?\d{2})?$/

/**
 * Reads the three forms of an HTTP date (RFC 9110 section 5.6.7) as epoch ms; undefined for anything else. Not `Date.parse`, which
 * takes asctime as local time and much that is no date. A two-digit year is the one of 1970 to 2069.
 */
export function parseHttpDate(text: string): number | undefined {
  const value = text.trim()
  const imf = IMF_FIXDATE.exec(value)
  if (imf !== null) return utc(imf[3], imf[2], imf[1], imf[4], imf[5], imf[6])
  const rfc850 = RFC_850.exec(value)
  if (rfc850 !== null) {
    const short = Number(rfc850[3])
    return utc(short + (short < 70 ? 2000 : 1900), rfc850[2], rfc850[1], rfc850[4], rfc850[5], rfc850[6])
  }
  const asctime = ASCTIME.exec(value)
  if (asctime !== null) return utc(asctime[6], asctime[1], asctime[2], asctime[3], asctime[4], asctime[5])
  return undefined
}

/** Reads an HTTP date or an ISO 8601 instant, which counts as UTC where it names no zone, as epoch ms. */
export function parseInstant(text: string): number | undefined {
  const value = text.trim()
  const iso = ISO_8601.exec(value)
  if (iso === null) return parseHttpDate(value)
  const ms = Date.parse(iso[1] === undefined ? `${value.replace(' ', 'T')}Z` : value.replace(' ', 'T'))
  return Number.isNaN(ms) ? undefined : ms
}

type Part = string | number | undefined

function utc(year: Part, month: string | undefined, day: Part, hour: Part, minute: Part, second: Part): number | undefined {
  const index = MONTHS.indexOf((month ?? '').toLowerCase())
  const ms = Date.UTC(Number(year), index, Number(day), Number(hour), Number(minute), Number(second))
  const valid = index !== -1 && Number(day) >= 1 && Number(hour) < 24 && Number(minute) < 60 && Number(second) <= 60
  return valid && new Date(ms).getUTCMonth() === index ? ms : undefined
}
