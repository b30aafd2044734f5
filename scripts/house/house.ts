import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { type Import, importsOf } from './imports.ts'
import { maskSource } from './mask.ts'

const SKIPPED = new Set(['node_modules', 'dist', 'coverage', '.git', '.turbo', '.switchyard'])

export type Group = 'packages' | 'plugins' | 'apps'
export const GROUPS: readonly Group[] = ['packages', 'plugins', 'apps']

/** A file with its text, read once. */
export interface SourceFile {
  /** Relative to the repo, with `/`. */
  readonly path: string
  readonly text: string
  /** Text with strings and comments blanked, see `maskSource`. */
  readonly code: string
  readonly imports: readonly Import[]
}

export interface Manifest {
  readonly name?: string
  readonly private?: boolean
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

/** One workspace package. */
export interface Package {
  readonly group: Group
  /** Folder name: `provider-openai`. */
  readonly folder: string
  /** `plugins/provider-openai`. */
  readonly path: string
  readonly manifest: Manifest
  readonly manifestText: string
  /** Paths of all its files, relative to the repo. */
  readonly files: readonly string[]
  /** Its TypeScript. */
  readonly sources: readonly SourceFile[]
}

/** What the rules look at. */
export interface House {
  readonly root: string
  /** Every tracked or new file that git does not ignore. */
  readonly files: readonly string[]
  readonly packages: readonly Package[]
  read(path: string): string
}

/** Reads a repo, or any folder of the same shape. */
export function readHouse(root: string): House {
  const files = listFiles(root)
  const texts = new Map<string, string>()
  const read = (path: string): string => {
    let text = texts.get(path)
    if (text === undefined) {
      text = readFileSync(join(root, path), 'utf8')
      texts.set(path, text)
    }
    return text
  }
  const packages: Package[] = []
  for (const group of GROUPS) {
    const folders = new Set<string>()
    for (const file of files) {
      const [top, folder, ...rest] = file.split('/')
      if (top === group && folder !== undefined && rest.length > 0) folders.add(folder)
    }
    for (const folder of [...folders].sort()) packages.push(readPackage(group, folder, files, read))
  }
  return { root, files, packages, read }
}

function readPackage(group: Group, folder: string, all: readonly string[], read: (path: string) => string): Package {
  const path = `${group}/${folder}`
  const files = all.filter((file) => file.startsWith(`${path}/`))
  const manifestPath = `${path}/package.json`
  const manifestText = files.includes(manifestPath) ? read(manifestPath) : '{}'
  const sources = files.filter((file) => /\.(ts|tsx|mts)$/.test(file)).map((file) => sourceFile(file, read(file)))
  return { group, folder, path, files, manifestText, manifest: JSON.parse(manifestText) as Manifest, sources }
}

function sourceFile(path: string, text: string): SourceFile {
  const code = maskSource(text)
  return { path, text, code, imports: importsOf(text, code) }
}

function listFiles(root: string): readonly string[] {
  if (!existsSync(join(root, '.git'))) return walk(root, '').sort()
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  return [...new Set(listed.split('\0'))].filter((file) => file !== '' && existsSync(join(root, file))).sort()
}

function walk(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(folder, entry.name)
    if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : walk(root, path)
    return entry.isFile() ? [path] : []
  })
}

/** Where in its package a file stands. `setup` is configuration at the package's top. */
export function roomOf(pkg: Package, file: string): 'src' | 'test' | 'setup' {
  const inside = file.slice(pkg.path.length + 1)
  if (inside.startsWith('src/')) return 'src'
  return inside.startsWith('test/') || inside.includes('/') ? 'test' : 'setup'
}
