import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A package at one version with the integrity that its tarball must have. */
export interface Pinned {
  readonly name: string
  readonly version: string
  readonly integrity: string
  /** ISO date of its data. */
  readonly asOf: string
}

/**
 * Fetches a tarball with `npm pack`, refuses one of another integrity, and unpacks it. Nothing is installed and none of its scripts run.
 * Returns the folder of its files, in a new temporary folder.
 */
export function unpack({ name, version, integrity }: Pinned): string {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-catalog-'))
  execFileSync('npm', ['pack', '--silent', '--ignore-scripts', `${name}@${version}`], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const file = join(folder, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`)
  const found = `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`
  if (found !== integrity) throw new Error(`${name}@${version} has integrity ${found}, pinned is ${integrity}: not used`)
  const files = join(folder, 'files')
  mkdirSync(files)
  execFileSync('tar', ['-xzf', file, '-C', files, '--strip-components=1'])
  return files
}
