import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkHouse } from './house/check.ts'
import { describe } from './house/finding.ts'

const findings = checkHouse(process.argv[2] ?? dirname(dirname(fileURLToPath(import.meta.url))))
for (const finding of findings) console.log(describe(finding))
console.log(findings.length === 0 ? 'the house is in order' : `${findings.length} breaches of the house rules`)
process.exitCode = findings.length === 0 ? 0 : 1
