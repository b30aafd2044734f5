import type { EvaluationRow } from '@switchyard/cache-semantic/evaluate'
import { table } from '../measure/table.ts'
import type { PairRow } from './pairs.ts'

const percent = (share: number): string => (100 * share).toFixed(2)

/** Prints hits, errors of all, errors of hits and the ceiling, always together. */
export function printRows(rows: readonly EvaluationRow[]): void {
  console.log('\nIn % of all requests; err/hits in % of the hits. Means over the orders; worst is the worst order.')
  console.log(
    table(
      [
        'set',
        'policy',
        'encoder',
        'epsilon',
        'hits',
        'err/all',
        'worst',
        'err/hits',
        'ceiling',
        'L1+L2+L3',
        'audits',
        'judged',
        'last quarter',
      ],
      rows.map((row) => [
        row.set,
        row.threshold === undefined ? row.policy : `${row.policy} ${row.threshold.toFixed(2)}`,
        row.encoder,
        percent(row.epsilon),
        percent(row.hitRate),
        percent(row.errorOfAll),
        `${percent(row.worstErrorOfAll)}${row.held ? '' : ' BROKEN'}`,
        percent(row.errorOfHits),
        percent(row.ceiling),
        [row.levels.l1, row.levels.l2, row.levels.l3].map((share) => (100 * share).toFixed(1)).join(' + '),
        percent(row.auditShare),
        percent(row.judgeShare),
        row.lastQuarter && `${percent(row.lastQuarter.hitRate)} @ ${percent(row.lastQuarter.errorOfAll)}`,
      ]),
    ),
  )
}

/** Prints what each rule made of pairs. */
export function printPairs(rows: readonly PairRow[]): void {
  if (rows.length === 0) return
  console.log('\nPairs: one text of each is stored, the other looked up')
  console.log(
    table(
      ['set', 'policy', 'encoder', 'threshold', 'right', 'wrong', 'miss', 'hits', 'err/all', 'err/hits', 'ceiling'],
      rows.map((row) => [
        row.set,
        row.policy,
        row.encoder,
        row.threshold === undefined ? `epsilon ${row.epsilon}` : String(row.threshold),
        String(row.right),
        String(row.wrong),
        String(row.miss),
        percent(row.hitRate),
        percent(row.errorOfAll),
        percent(row.errorOfHits),
        percent(row.ceiling),
      ]),
    ),
  )
}
