import { isVendor } from './directions.ts'
import type { Finding } from './finding.ts'
import { type House, type Package, roomOf } from './house.ts'
import { lineAt } from './mask.ts'

const LONGEST_FILE = 300
const LONGEST_WIRING = 80
const DATA_TABLE = '// house: data table'
const FORBIDDEN = new Set(['utils', 'util', 'types', 'common', 'shared', 'helpers', 'misc', 'lib'])
const TOP = new Set(['packages', 'plugins', 'apps', 'scripts', '.changeset', '.ci', '.github'])
const KEBAB = /^\.?[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*$/

/** Rules `names` and `top-level`: kebab-case files, no junk-drawer folders, and only known folders at the top. */
export function checkNames(house: House): readonly Finding[] {
  const findings: Finding[] = []
  const judged = new Set<string>()
  for (const file of house.files) {
    const parts = file.split('/')
    const top = parts[0] as string
    if (parts.length > 1 && !TOP.has(top)) {
      findings.push({
        file,
        line: 1,
        rule: 'top-level',
        wrong: `"${top}/" is not a room of this house`,
        mend: `put it under ${[...TOP].join(', ')}`,
      })
    }
    for (const [depth, folder] of parts.slice(0, -1).entries()) {
      const path = parts.slice(0, depth + 1).join('/')
      if (judged.has(path)) continue
      judged.add(path)
      if (FORBIDDEN.has(folder)) {
        findings.push({
          file,
          line: 1,
          rule: 'names',
          wrong: `the folder "${path}" is named for nothing`,
          mend: 'name it for what its files do',
        })
      }
    }
    const base = parts.at(-1) as string
    const stem = base.replace(/\.[cm]?[jt]sx?$/, '')
    if (/\.[cm]?[jt]sx?$/.test(base)) {
      if (!KEBAB.test(base))
        findings.push({ file, line: 1, rule: 'names', wrong: `"${base}" is not kebab-case`, mend: 'rename it' })
      if (FORBIDDEN.has(stem)) {
        findings.push({
          file,
          line: 1,
          rule: 'names',
          wrong: `"${base}" is named for nothing`,
          mend: 'name it for its one job',
        })
      }
    }
  }
  return findings
}

/** Rule `file-length`: one job a file; past 300 lines a second thing has moved in. */
export function checkLengths(house: House): readonly Finding[] {
  return house.packages.flatMap((pkg) =>
    pkg.sources.flatMap(({ path, text }): Finding[] => {
      if (roomOf(pkg, path) !== 'src' || text.startsWith(DATA_TABLE)) return []
      const lines = lineCount(text)
      if (lines <= LONGEST_FILE) return []
      const wrong = `${lines} lines, ${LONGEST_FILE} are allowed`
      return [
        {
          file: path,
          line: LONGEST_FILE + 1,
          rule: 'file-length',
          wrong,
          mend: `split it by job, or begin a table of data with "${DATA_TABLE}"`,
        },
      ]
    }),
  )
}

/** Rule `rooms`: every package has the same rooms, so that a reader finds his way in one he never saw. */
export function checkRooms(house: House): readonly Finding[] {
  return house.packages.flatMap((pkg) => {
    const findings: Finding[] = []
    const missing = (path: string, mend: string): void => {
      const file = `${pkg.path}/${path}`
      if (!pkg.files.includes(file)) findings.push({ file, line: 1, rule: 'rooms', wrong: `${pkg.path} has no ${path}`, mend })
    }
    missing('README.md', 'say what it is, how to install it, ten lines that run, options, promises, limits')
    if (pkg.manifest.private !== true) missing('src/index.ts', 'add the public surface')
    findings.push(...indexFindings(pkg))
    if (pkg.path !== 'apps/docs' && !pkg.files.some((file) => /\/test\/.*\.test\.tsx?$/.test(file))) {
      findings.push({
        file: `${pkg.path}/test`,
        line: 1,
        rule: 'rooms',
        wrong: `${pkg.path} has no test`,
        mend: 'add test/….test.ts',
      })
    }
    if (pkg.group === 'plugins') findings.push(...pluginFindings(pkg, missing))
    return findings
  })
}

function pluginFindings(pkg: Package, missing: (path: string, mend: string) => void): readonly Finding[] {
  missing('src/options.ts', 'put the strict zod schema there, every field described')
  missing('src/plugin.ts', 'put the definePlugin wiring there')
  if (hasVendor(pkg)) missing('src/errors.ts', 'map the vendor’s errors to SwitchyardError there, in one pure function')
  const wiring = pkg.sources.find(({ path }) => path === `${pkg.path}/src/plugin.ts`)
  if (wiring === undefined) return []
  if (/\bprovides\s*:/.test(wiring.code)) missing('test/conformance.test.ts', 'run the suite of the port it provides')
  const lines = lineCount(wiring.text)
  if (lines < LONGEST_WIRING) return []
  const wrong = `${lines} lines of wiring, fewer than ${LONGEST_WIRING} are allowed`
  return [{ file: wiring.path, line: LONGEST_WIRING, rule: 'rooms', wrong, mend: 'move the work into a file named for it' }]
}

/** Speaks to something outside, whose errors need a translation. */
function hasVendor(pkg: Package): boolean {
  return /^(provider|connector|storage)-/.test(pkg.folder) || Object.keys(pkg.manifest.dependencies ?? {}).some(isVendor)
}

function indexFindings(pkg: Package): readonly Finding[] {
  const index = pkg.sources.find(({ path }) => path === `${pkg.path}/src/index.ts`)
  if (index === undefined) return []
  const rest = index.code.replace(
    /\b(export\s+(type\s+)?(\{[^}]*\}|\*(\s+as\s+\w+)?)(\s*from\s*(["'])\s*\6)?|import\s*(["'])\s*\7)\s*;?/g,
    (matched) => matched.replace(/\S/g, ' '),
  )
  const at = rest.search(/\S/)
  if (at === -1) return []
  return [
    {
      file: index.path,
      line: lineAt(index.code, at),
      rule: 'index-exports',
      wrong: 'src/index.ts holds more than exports',
      mend: 'move the code into a file of its own and export it',
    },
  ]
}

function lineCount(text: string): number {
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0)
}
