import { LONGEST_RUN } from './scan.ts'

/** A stretch of a text: a run above LONGEST_RUN characters without white space, or all that lies between two such. */
export interface Stretch {
  readonly text: string
  readonly isRun: boolean
}

/** Characters that are looked through at a time: about a tenth of a millisecond, and as much text as is ever encoded. */
const STRIDE = 65_536

/** A text as its long runs and what lies between them, either in parts where it is longer than 64 k; together they are the text. */
export function* stretches(text: string): Generator<Stretch, void, undefined> {
  let taken = 0
  let run = 0
  for (let at = 0; at <= text.length; at++) {
    const ends = at === text.length || isSpace(text.charCodeAt(at))
    if (at - run > LONGEST_RUN && (ends || at - taken > STRIDE)) {
      if (run > taken) yield { text: text.slice(taken, run), isRun: false }
      const rest = Math.max(run, taken)
      if (at > rest) yield { text: text.slice(rest, at), isRun: true }
      taken = at
    } else if (ends && at - taken > STRIDE) {
      yield { text: text.slice(taken, at), isRun: false }
      taken = at
    }
    if (ends) run = at + 1
  }
  if (taken < text.length) yield { text: text.slice(taken), isRun: false }
}

function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13)
}
