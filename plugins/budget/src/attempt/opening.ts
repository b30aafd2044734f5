import type { Call, WellKnownAttributes } from '@switchyard/contract'
import type { Cell } from '../ledger/columns.ts'
import { storable } from '../money.ts'
import type { Attempt } from './attempt.ts'
import { plain } from './tags.ts'

const LONGEST_TEXT = 256
const NOTHING_RARE: readonly Cell[] = [null, null, null, null, null]
const NOTHING_RARE_JSON = 'null,null,null,null,null'

/**
 * Gives an attempt its opening, as cells for the ledger and as the JSON list of the same for the journal and the lease. Put together by
 * hand: it is made for every call, and most of it is the same for all calls of a subject.
 */
export function describe(
  attempt: Attempt,
  call: Pick<Call<'model.invoke'>, 'id' | 'attempt' | 'attributes'>,
  tags: string | null,
  expectedPico: bigint | undefined,
): void {
  const given = call.attributes as WellKnownAttributes
  const { purpose, taskClass, arm, control, baseline } = given
  const { id, at, subject, inputTokens, bytes, held } = attempt
  const callId = plain(call.id)
  const session = textOr(given.session)
  const route = textOr(given.route)
  const tokens = inputTokens ?? Math.ceil(bytes / 4)
  const expected = expectedPico === undefined ? null : storable(expectedPico)
  const hold = held === 0n ? 0 : storable(held)
  let rare = NOTHING_RARE
  let rareJson = NOTHING_RARE_JSON
  if (
    purpose !== undefined ||
    taskClass !== undefined ||
    arm !== undefined ||
    control !== undefined ||
    baseline !== undefined
  ) {
    rare = [textOr(purpose), textOr(taskClass), textOr(arm), control === undefined ? null : control ? 1 : 0, textOr(baseline)]
    rareJson = JSON.stringify(rare).slice(1, -1)
  }
  const { cells, json } = subject
  attempt.opening = [id, callId, at, ...cells, call.attempt, session, tags, route, ...rare, tokens, expected, hold]
  attempt.json = `["${id}",${JSON.stringify(callId)},${at},${json},${call.attempt},${jsonOf(session)},${jsonOf(tags)},${jsonOf(route)},${rareJson},${tokens},${jsonOf(expected)},${jsonOf(hold)}]`
}

function textOr(value: string | undefined): string | null {
  if (value === undefined) return null
  return plain(value.length > LONGEST_TEXT ? value.slice(0, LONGEST_TEXT) : value)
}

function jsonOf(value: Cell): string {
  return typeof value === 'string' ? JSON.stringify(value) : `${value}`
}
