import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Folders that hold `postgres` and `initdb`: Debian's by version, Homebrew's, the PATH. */
export function postgresProgramFolders(path: string): readonly string[] {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : []
  const homebrew = ['/opt/homebrew/opt', '/usr/local/opt'].flatMap((folder) =>
    existsSync(folder)
      ? readdirSync(folder)
          .filter((name) => name.startsWith('postgresql'))
          .map((name) => join(folder, name))
      : [],
  )
  const candidates = [
    ...versions.map((version) => join(debian, version, 'bin')),
    ...homebrew.map((folder) => join(folder, 'bin')),
    ...path.split(delimiter),
  ]
  return candidates.filter((folder) => existsSync(join(folder, 'postgres')) && existsSync(join(folder, 'initdb')))
}

/** The version that the programs of a folder say they are, `15.18`. */
export function programVersion(folder: string): string {
  const said = execFileSync(join(folder, 'postgres'), ['--version'], { encoding: 'utf8' })
  return /(\d+(?:\.\d+)?)/.exec(said.replace(/\(.*?\)/, ''))?.[1] ?? said.trim()
}
