import type { Call, WellKnownAttributes } from '@switchyard/contract'
import { type Cell, OPENING_COLUMNS } from '../ledger/columns.ts'
import { storable } from '../money.ts'
import type { Attempt } from './attempt.ts'
import { plain } from './tags.ts'

const LONGEST_TEXT = 256
const NOTHING_RARE: readonly Cell[] = [null, null, null, null, null]
const NOTHING_RARE_JSON = 'null,null,null,null,null'
/** Cells `session` to `baseline_model` of a call that has none of them. */
const PLAIN_JSON = `null,null,null,${NOTHING_RARE_JSON}`

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
  const isPlain = session === null && tags === null && route === null && rare === NOTHING_RARE
  const said = isPlain ? PLAIN_JSON : `${jsonOf(session)},${jsonOf(tags)},${jsonOf(route)},${rareJson}`
  const opening = new Array<Cell>(OPENING_COLUMNS.length)
  opening[0] = id
  opening[1] = callId
  opening[2] = at
  let next = 3
  for (const cell of subject.cells) opening[next++] = cell
  opening[next++] = call.attempt
  opening[next++] = session
  opening[next++] = tags
  opening[next++] = route
  for (const cell of rare) opening[next++] = cell
  opening[next++] = tokens
  opening[next++] = expected
  opening[next] = hold
  attempt.opening = opening
  attempt.json = `["${id}",${JSON.stringify(callId)},${at},${subject.json},${call.attempt},${said},${tokens},${jsonOf(expected)},${jsonOf(hold)}]`
}

function textOr(value: string | undefined): string | null {
  if (value === undefined) return null
  return plain(value.length > LONGEST_TEXT ? value.slice(0, LONGEST_TEXT) : value)
}

function jsonOf(value: Cell): string {
  return typeof value === 'string' ? JSON.stringify(value) : `${value}`
}
