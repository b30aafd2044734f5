import type { Finding } from './finding.ts'
import { type House, type Package, roomOf } from './house.ts'
import { packageOf } from './imports.ts'

const SCOPE = '@switchyard/'

/** Packages that plugins build on besides the contract: they know formats, transport and arithmetic, no vendor. */
const GROUND: readonly string[] = ['model-wire', 'catalog', 'egress', 'secrets', 'vector-index']

/** Clients of one product. A package serves them all, so it imports none; a plugin brings its own. */
const VENDORS =
  /^(pg(-.+)?|mysql2?|mariadb|mongodb|mongoose|redis|ioredis|@redis\/.+|openai|portkey-ai|@portkey-ai\/.+|@anthropic-ai\/.+|@google\/.+|@google-cloud\/.+|@aws-sdk\/.+|@azure\/.+|better-sqlite3|sqlite3|stripe|cohere-ai|@mistralai\/.+)$/

/** True for the name of a package that speaks to one vendor's product. */
export function isVendor(name: string): boolean {
  return VENDORS.test(name)
}

/** May `from`, in code that ships (`src`) or does not (`test`), import the workspace package `to`? Undefined = yes, else why not. */
function refusal(from: Package, room: 'src' | 'test' | 'setup', to: Package): { wrong: string; mend: string } | undefined {
  if (from === to) return undefined
  const name = `${SCOPE}${to.folder}`
  const own = `${from.path}`
  const dev = room !== 'src'
  if (to.folder === 'testkit' && to.group === 'packages') {
    if (dev || from.path === 'apps/bench' || from.path === 'apps/docs') return undefined
    return { wrong: `${own} uses ${name} in code that ships`, mend: 'import the testkit in test/ only' }
  }
  if (from.group === 'apps') {
    if (to.group !== 'apps' || from.path === 'apps/bench' || from.path === 'apps/docs') return undefined
    return {
      wrong: `${own} imports the app ${name}`,
      mend: 'an app stands alone; move what both need into a package or a plugin',
    }
  }
  if (from.group === 'plugins') {
    if (to.group === 'packages' && (to.folder === 'contract' || GROUND.includes(to.folder))) return undefined
    if (to.path === 'packages/kernel' && dev) return undefined
    return {
      wrong: `the plugin ${own} imports ${name}`,
      mend: 'ask for a port in `requires`; the assembly decides who provides it',
    }
  }
  if (to.path === 'packages/contract') return undefined
  if (from.folder === 'kernel' || from.folder === 'contract' || GROUND.includes(from.folder) || from.folder === 'testkit') {
    return { wrong: `${own} imports ${name}`, mend: `of the workspace, ${own} may import @switchyard/contract only` }
  }
  return { wrong: `${own} imports ${name}`, mend: 'a package imports the contract only' }
}

function externalRefusal(
  from: Package,
  room: 'src' | 'test' | 'setup',
  name: string,
): { wrong: string; mend: string } | undefined {
  if (room !== 'src') return undefined
  if (from.path === 'packages/contract' && name !== '@standard-schema/spec') {
    return { wrong: `the contract imports ${name}`, mend: 'the contract imports types of @standard-schema/spec, nothing else' }
  }
  if (from.path === 'packages/kernel') {
    return { wrong: `the kernel imports ${name}`, mend: 'the kernel has no dependency but the contract' }
  }
  if (from.group === 'packages' && isVendor(name)) {
    return { wrong: `${from.path} imports the vendor package ${name}`, mend: 'packages know no vendor; put it into a plugin' }
  }
  return undefined
}

/** Rule `import-direction`: who may import whom, by the imports of every file. */
export function checkImports(house: House): readonly Finding[] {
  const byName = new Map(house.packages.map((pkg) => [`${SCOPE}${pkg.folder}`, pkg]))
  const findings: Finding[] = []
  for (const pkg of house.packages) {
    for (const source of pkg.sources) {
      const room = roomOf(pkg, source.path)
      for (const found of source.imports) {
        const say = (refused: { wrong: string; mend: string } | undefined): void => {
          if (refused !== undefined)
            findings.push({ file: source.path, line: found.line, rule: 'import-direction', ...refused })
        }
        if (found.specifier.startsWith('.')) {
          say(relativeRefusal(pkg, room, source.path, found.specifier))
          continue
        }
        const name = packageOf(found.specifier)
        if (name === undefined) continue
        const to = byName.get(name)
        if (to !== undefined) say(refusal(pkg, room, to))
        else say(externalRefusal(pkg, room, name))
        if (pkg.path === 'packages/contract' && room === 'src' && name === '@standard-schema/spec' && !found.typeOnly) {
          say({ wrong: 'the contract imports @standard-schema/spec as a value', mend: 'write `import type`' })
        }
      }
    }
  }
  return findings
}

function relativeRefusal(
  pkg: Package,
  room: 'src' | 'test' | 'setup',
  file: string,
  specifier: string,
): { wrong: string; mend: string } | undefined {
  const target = new URL(specifier, `file:///${file}`).pathname.slice(1)
  if (!target.startsWith(`${pkg.path}/`)) {
    if (room === 'setup' && /^[\w.-]+\.base\.ts$/.test(target)) return undefined
    if (room === 'test' && (target.startsWith('scripts/') || specifier.includes('?'))) return undefined
    return { wrong: `"${specifier}" leaves ${pkg.path}`, mend: 'import the other package by its name' }
  }
  if (room === 'src' && !target.startsWith(`${pkg.path}/src/`) && !target.endsWith('package.json')) {
    return { wrong: `"${specifier}" leaves src/`, mend: 'code that ships imports from src/ only' }
  }
  return undefined
}

/** Rule `manifest-direction`: the same, by the dependencies of every package.json. */
export function checkManifests(house: House): readonly Finding[] {
  const byName = new Map(house.packages.map((pkg) => [`${SCOPE}${pkg.folder}`, pkg]))
  const findings: Finding[] = []
  for (const pkg of house.packages) {
    const file = `${pkg.path}/package.json`
    const look = (name: string, room: 'src' | 'test', kind: string): void => {
      const to = byName.get(name)
      const refused = to === undefined ? externalRefusal(pkg, room, name) : refusal(pkg, room, to)
      if (refused === undefined) return
      findings.push({ file, line: lineOf(pkg.manifestText, kind, name), rule: 'manifest-direction', ...refused })
    }
    for (const name of Object.keys(pkg.manifest.dependencies ?? {})) look(name, 'src', 'dependencies')
    for (const name of Object.keys(pkg.manifest.peerDependencies ?? {})) look(name, 'src', 'peerDependencies')
    for (const name of Object.keys(pkg.manifest.devDependencies ?? {})) look(name, 'test', 'devDependencies')
  }
  return findings
}

/** Line of the entry `name` under the key `section` of a package.json; 1 where it is not found. */
export function lineOf(manifestText: string, section: string, name: string): number {
  const lines = manifestText.split('\n')
  const start = lines.findIndex((line) => line.includes(`"${section}"`))
  const at = lines.findIndex((line, i) => i >= start && line.includes(`"${name}"`))
  return at === -1 ? Math.max(1, start + 1) : at + 1
}
