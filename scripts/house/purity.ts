import type { Finding } from './finding.ts'
import { type House, type Package, roomOf, type SourceFile } from './house.ts'
import { lineAt } from './mask.ts'

/** Packages whose code computes and does nothing else. */
const PURE: readonly string[] = ['packages/contract', 'packages/model-wire', 'packages/catalog']

/** Builtins that touch neither disk, network, processes nor time. */
const HARMLESS = new Set([
  'node:util',
  'node:buffer',
  'node:assert',
  'node:string_decoder',
  'node:url',
  'node:path',
  'node:events',
  'node:crypto',
])

/** The one file in which a pure package may read what it ships in its own `data/`. */
const OWN_DATA = /\/src\/package-data\.ts$/

interface Ban {
  readonly rule: string
  readonly pattern: RegExp
  readonly holds: (pkg: Package, file: string) => boolean
  readonly wrong: string
  readonly mend: string
}

const inSource = (pkg: Package, file: string): boolean => roomOf(pkg, file) === 'src'
const carriesModelTraffic = (pkg: Package): boolean =>
  pkg.path === 'packages/egress' || pkg.path === 'packages/model-wire' || /^plugins\/provider-/.test(pkg.path)
const runsInPipeline = (pkg: Package): boolean => pkg.group === 'plugins' || pkg.path === 'packages/kernel'
const isPure = (pkg: Package): boolean => PURE.includes(pkg.path)

const BANS: readonly Ban[] = [
  {
    rule: 'no-env',
    pattern: /\bprocess\s*\.\s*env\b/g,
    holds: (pkg, file) => pkg.group !== 'apps' && inSource(pkg, file),
    wrong: 'process.env is read outside apps/',
    mend: 'take an option; the app reads the environment and passes it',
  },
  {
    rule: 'no-fetch',
    pattern: /(?<![.\w$])fetch\s*\((?![^()]*\)\s*[:{])|\bglobalThis\s*\.\s*fetch\b/g,
    holds: (pkg, file) => (carriesModelTraffic(pkg) || isPure(pkg)) && inSource(pkg, file),
    wrong: 'fetch under model traffic',
    mend: 'send it through @switchyard/egress (undici dispatcher)',
  },
  {
    rule: 'injected-time',
    pattern:
      /\bDate\s*\.\s*now\s*\(|\bnew\s+Date\s*\(\s*\)|(?<![.\w$])set(?:Timeout|Interval)\s*\(|\bperformance\s*\.\s*now\s*\(|\bMath\s*\.\s*random\s*\(|\bAbortSignal\s*\.\s*timeout\s*\(/g,
    holds: (pkg, file) => runsInPipeline(pkg) && inSource(pkg, file) && !/\/(system-[\w-]+|clock)\.ts$/.test(file),
    wrong: 'time or chance that is not injected',
    mend: 'use ctx.clock and ctx.random; the real ones live in clock.ts or system-….ts',
  },
  {
    rule: 'pure-package',
    pattern:
      /\bDate\s*\.\s*now\s*\(|\bnew\s+Date\s*\(\s*\)|(?<![.\w$])set(?:Timeout|Interval)\s*\(|\bperformance\s*\.\s*now\s*\(|\bMath\s*\.\s*random\s*\(|\brandom(?:Bytes|Int|UUID|Fill|FillSync)\b|\bgetRandomValues\b/g,
    holds: (pkg, file) => isPure(pkg) && inSource(pkg, file),
    wrong: 'time or chance in a pure package',
    mend: 'take what it needs as an argument',
  },
  {
    rule: 'named-exports',
    pattern: /\bexport\s+default\b|\bas\s+default\b/g,
    holds: (_pkg, file) => !/\.(config|d)\.ts$/.test(file),
    wrong: 'a default export',
    mend: 'export it by name',
  },
  {
    rule: 'kernel-vocabulary',
    pattern: /\bModel(?:Request|Reply|Provider|Endpoint|Ending|Card)\b/g,
    holds: (pkg, file) => pkg.path === 'packages/kernel' && inSource(pkg, file),
    wrong: 'the kernel speaks of models',
    mend: 'it would serve a plugin for a fax machine: use Operation, Request and Reply',
  },
]

/** Rules on what code may touch: pure packages do no I/O; environment, fetch, time and default exports where they belong. */
export function checkPurity(house: House): readonly Finding[] {
  const findings: Finding[] = []
  for (const pkg of house.packages) {
    for (const source of pkg.sources) {
      findings.push(...impureImports(pkg, source))
      for (const ban of BANS) {
        if (!ban.holds(pkg, source.path)) continue
        for (const match of source.code.matchAll(ban.pattern)) {
          const { rule, wrong, mend } = ban
          findings.push({ file: source.path, line: lineAt(source.code, match.index), rule, wrong, mend })
        }
      }
    }
  }
  return findings
}

function impureImports(pkg: Package, source: SourceFile): readonly Finding[] {
  if (!isPure(pkg) || !inSource(pkg, source.path)) return []
  const allowed = (specifier: string): boolean =>
    HARMLESS.has(specifier) || (specifier === 'node:fs' && OWN_DATA.test(source.path))
  return source.imports
    .filter(({ specifier, typeOnly }) => specifier.startsWith('node:') && !typeOnly && !allowed(specifier))
    .map(({ specifier, line }) => ({
      file: source.path,
      line,
      rule: 'pure-package',
      wrong: `${pkg.path} is pure and imports ${specifier}`,
      mend: 'take what it reads as an argument, or move the I/O to its caller',
    }))
}
