import type { Call, WellKnownAttributes } from '@switchyard/contract'
import { storable } from '../money.ts'
import type { Attempt } from './attempt.ts'
import { plain } from './tags.ts'

const LONGEST_SESSION = 256

/**
 * What is known of an attempt before it is sent, as the JSON list of `OPENING_COLUMNS`. Put together by hand: it is made for every call,
 * and most of it is the same for all calls of a subject.
 */
export function openingJson(
  attempt: Attempt,
  call: Pick<Call<'model.invoke'>, 'id' | 'attempt' | 'attributes'>,
  tags: string | null,
  expectedPico: bigint | undefined,
): string {
  const { route, purpose, session, taskClass, arm, control, baseline } = call.attributes as WellKnownAttributes
  const rare =
    purpose === undefined && taskClass === undefined && arm === undefined && control === undefined && baseline === undefined
      ? 'null,null,null,null,null'
      : `${text(purpose)},${text(taskClass)},${text(arm)},${control === undefined ? 'null' : control ? 1 : 0},${text(baseline)}`
  const { id, at, subject, inputTokens, bytes, held } = attempt
  const tokens = inputTokens ?? Math.ceil(bytes / 4)
  const expected = expectedPico === undefined ? 'null' : digits(expectedPico)
  return `["${id}",${text(call.id)},${at},${subject.json},${call.attempt},${text(session?.slice(0, LONGEST_SESSION))},${text(tags ?? undefined)},${text(route)},${rare},${tokens},${expected},${digits(held)}]`
}

function text(value: string | undefined): string {
  return value === undefined ? 'null' : JSON.stringify(plain(value))
}

function digits(value: bigint): string {
  const cell = storable(value)
  return typeof cell === 'number' ? String(cell) : `"${cell}"`
}
