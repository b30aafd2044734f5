import { access as accessPort, keys, type Port } from '@switchyard/contract'
import { accessSuite, conformance, judgeMutants, keysSuite, pluginSubject, type Subject } from '@switchyard/testkit'
import { describe, expect, test } from 'vitest'
import { access } from '../src/index.ts'
import { fileSql } from './support/file-sql.ts'

/** With a database of its own for every case. */
function subjectOf<T>(port: Port<T>): Subject<T> {
  return {
    name: 'access',
    open: () => pluginSubject({ port, plugin: () => access(), deps: { sql: fileSql() } }).open(),
  }
}
const accessSubject = subjectOf(accessPort)
const keysSubject = subjectOf(keys)

describe('the suite of who asks', () => conformance(accessSuite, accessSubject, test))
describe('the suite of keys', () => conformance(keysSuite, keysSubject, test))

test('mutants of both are all killed', async () => {
  for (const judged of [judgeMutants(accessSuite, accessSubject), judgeMutants(keysSuite, keysSubject)]) {
    const { problems, verdicts } = await judged
    expect(problems).toEqual([])
    expect(verdicts.filter(({ verdict }) => verdict !== 'killed')).toEqual([])
  }
})
