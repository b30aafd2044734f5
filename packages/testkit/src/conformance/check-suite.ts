import type { Suite } from './suite.ts'

/** `port.operation.promise`: the operation as it is called in code, the promise in kebab-case. */
const REST = /^[a-z][a-zA-Z0-9-]*\.[a-z0-9]+(-[a-z0-9]+)*$/
const MUTANT = /^[a-z0-9]+(-[a-z0-9]+)*$/

/**
 * What is wrong with a suite as data, one sentence each: ids that are ill-formed or not unique, a capability without its other
 * half, mutants that name no case, cases that no mutant names.
 */
export function suiteProblems<T, F>(suite: Suite<T, F>): readonly string[] {
  const problems: string[] = []
  const prefix = `${suite.port.id}.`
  const ids = new Set<string>()
  for (const { id, declared, undeclared, promise } of suite.cases) {
    if (ids.has(id)) problems.push(`case ${id} stands twice; ids are unique`)
    ids.add(id)
    if (!id.startsWith(prefix) || !REST.test(id.slice(prefix.length))) {
      problems.push(`case ${id} is ill-formed; write ${prefix}operation.what-it-promises`)
    }
    if (promise.trim() === '') problems.push(`case ${id} has no promise; say it as a sentence`)
    if ((declared === undefined) !== (undeclared === undefined)) {
      problems.push(`case ${id} needs both \`declared\` and \`undeclared\`, or neither`)
    }
  }
  const names = new Set<string>()
  const named = new Set<string>()
  for (const { name, killedBy } of suite.mutants) {
    if (names.has(name)) problems.push(`mutant ${name} stands twice; names are unique`)
    names.add(name)
    named.add(killedBy)
    if (!MUTANT.test(name)) problems.push(`mutant ${name} is ill-formed; write what is wrong with it in kebab-case`)
    if (!ids.has(killedBy)) problems.push(`mutant ${name} is to be killed by ${killedBy}, which is no case of the suite`)
  }
  for (const id of ids) {
    if (!named.has(id)) problems.push(`case ${id} is named by no mutant, so nothing shows that it can fail`)
  }
  return problems
}
