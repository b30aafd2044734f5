import { lineOf } from './directions.ts'
import type { Finding } from './finding.ts'
import type { House, Manifest } from './house.ts'

const SECTIONS = ['dependencies', 'devDependencies', 'peerDependencies'] as const

interface Entry {
  readonly file: string
  readonly text: string
  readonly section: (typeof SECTIONS)[number]
  readonly name: string
  readonly range: string
}

/**
 * Rules of the package.json files: `catalog-version` (a version that two packages need stands once, in the pnpm catalog),
 * `workspace-version`, `contract-peer` (a plugin peers on the contract) and `package-name`.
 */
export function checkVersions(house: House): readonly Finding[] {
  const entries = house.packages.flatMap((pkg) => entriesOf(`${pkg.path}/package.json`, pkg.manifestText, pkg.manifest))
  if (house.files.includes('package.json')) {
    const text = house.read('package.json')
    entries.push(...entriesOf('package.json', text, JSON.parse(text) as Manifest))
  }
  const users = new Map<string, Set<string>>()
  for (const { name, file } of entries) users.set(name, (users.get(name) ?? new Set()).add(file))
  const findings: Finding[] = []
  for (const { file, text, section, name, range } of entries) {
    const say = (rule: string, wrong: string, mend: string): void => {
      findings.push({ file, line: lineOf(text, section, name), rule, wrong, mend })
    }
    if (name.startsWith('@switchyard/')) {
      if (range !== 'workspace:^') say('workspace-version', `${name} is "${range}"`, 'write "workspace:^"')
    } else if ((users.get(name)?.size ?? 0) > 1 && range !== 'catalog:') {
      say(
        'catalog-version',
        `${name} is used by more than one package, here as "${range}"`,
        'write "catalog:" and put the version into pnpm-workspace.yaml',
      )
    }
  }
  for (const pkg of house.packages) {
    const file = `${pkg.path}/package.json`
    if (!pkg.files.includes(file)) {
      findings.push({
        file,
        line: 1,
        rule: 'rooms',
        wrong: `${pkg.path} has no package.json`,
        mend: 'add it, or move the files',
      })
      continue
    }
    const expected = `@switchyard/${pkg.folder}`
    if (pkg.manifest.name !== expected) {
      findings.push({
        file,
        line: lineOf(pkg.manifestText, 'name', 'name'),
        rule: 'package-name',
        wrong: `the package is named "${pkg.manifest.name}"`,
        mend: `name it "${expected}", as its folder`,
      })
    }
    if (pkg.group !== 'plugins') continue
    const line = lineOf(pkg.manifestText, 'dependencies', '@switchyard/contract')
    if (pkg.manifest.dependencies?.['@switchyard/contract'] !== undefined) {
      findings.push({
        file,
        line,
        rule: 'contract-peer',
        wrong: 'the contract is a dependency of the plugin',
        mend: 'move it to peerDependencies and devDependencies',
      })
    } else if (pkg.manifest.peerDependencies?.['@switchyard/contract'] === undefined) {
      findings.push({
        file,
        line: 1,
        rule: 'contract-peer',
        wrong: 'the contract is not a peer of the plugin',
        mend: 'add "@switchyard/contract": "workspace:^" to peerDependencies',
      })
    }
  }
  return findings
}

function entriesOf(file: string, text: string, manifest: Manifest): Entry[] {
  return SECTIONS.flatMap((section) =>
    Object.entries(manifest[section] ?? {}).map(([name, range]) => ({ file, text, section, name, range })),
  )
}
