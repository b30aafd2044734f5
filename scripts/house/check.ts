import { checkImports, checkManifests } from './directions.ts'
import { type Finding, sortFindings } from './finding.ts'
import { type House, readHouse } from './house.ts'
import { checkVersions } from './manifests.ts'
import { checkPurity } from './purity.ts'
import { checkLengths, checkNames, checkRooms } from './rooms.ts'
import { checkTraces } from './traces.ts'

const RULES: readonly ((house: House) => readonly Finding[])[] = [
  checkImports,
  checkManifests,
  checkVersions,
  checkPurity,
  checkNames,
  checkLengths,
  checkRooms,
  checkTraces,
]

/** Every breach of every rule in the repo at `root`, sorted. */
export function checkHouse(root: string): readonly Finding[] {
  const house = readHouse(root)
  return sortFindings(RULES.flatMap((rule) => rule(house)))
}
