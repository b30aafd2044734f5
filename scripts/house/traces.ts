import type { Finding } from './finding.ts'
import type { House } from './house.ts'

const TEXT = /(\.([cm]?[jt]sx?|json|ya?ml|md|toml|sh|html|css|svg)|\/run|^\.[\w]+|LICENSE)$/

/** Spelt in pieces, so that this file does not breach its own rule. */
const FOLDERS = ['work', 'root', 'home/\\w+', 'Users/\\w+'].join('|')
const TRACES: readonly { readonly pattern: RegExp; readonly wrong: string; readonly mend: string }[] = [
  {
    pattern: new RegExp(`(?<![\\w.~$}/-])/(${FOLDERS})/[\\w.@-]`),
    wrong: 'a path of one machine',
    mend: 'write it relative to the repo, or take it as an option',
  },
  {
    pattern: new RegExp(['\\.\\.', 'shared'].join('/')),
    wrong: 'a path outside the repo',
    mend: 'copy the fact it refers to, with its source',
  },
]

/** Rule `machine-path`: nothing in the repo names the machine it was written on. */
export function checkTraces(house: House): readonly Finding[] {
  const findings: Finding[] = []
  for (const file of house.files) {
    if (!TEXT.test(file)) continue
    const text = house.read(file)
    for (const { pattern, wrong, mend } of TRACES) {
      if (!pattern.test(text)) continue
      for (const [index, line] of text.split('\n').entries()) {
        if (pattern.test(line)) findings.push({ file, line: index + 1, rule: 'machine-path', wrong, mend })
      }
    }
  }
  return findings
}
