import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { SwitchyardError } from '@switchyard/contract'

const TESTED = '1.15.2'
/** From 1.14 on, every streamed, embedded or transformed reply of Portkey 1.15.2 is a 500. */
const HONO_SERVER = '1.13.'

export interface PortkeyProgram {
  readonly path: string
  readonly version: string
}

/**
 * Finds the installed `@portkey-ai/gateway` and checks that it is a version that works.
 * @throws SwitchyardError `CONFIG_INVALID` when it is missing, of another version, or installed with a newer `@hono/node-server`.
 */
export function locatePortkey(): PortkeyProgram {
  const require = createRequire(import.meta.url)
  const root = packageRoot(require, '@portkey-ai/gateway')
  if (root === undefined) {
    throw new SwitchyardError(
      'CONFIG_INVALID',
      `@portkey-ai/gateway is not installed: npm install @portkey-ai/gateway@${TESTED}`,
    )
  }
  const version = versionOf(root)
  const path = join(root, 'build', 'start-server.js')
  const server = packageRoot(createRequire(path), '@hono/node-server')
  const found = server === undefined ? 'missing' : versionOf(server)
  if (!found.startsWith(HONO_SERVER)) {
    throw new SwitchyardError(
      'CONFIG_INVALID',
      `@portkey-ai/gateway ${version} would answer every stream with 500: its @hono/node-server is ${found}, and only ${HONO_SERVER}x works. ` +
        `Add to package.json: "overrides": { "@hono/node-server": "1.13.8" } and install again`,
    )
  }
  return { path, version }
}

function packageRoot(require: NodeJS.Require, name: string): string | undefined {
  for (const folder of require.resolve.paths(name) ?? []) {
    const root = join(folder, name)
    try {
      readFileSync(join(root, 'package.json'))
      return root
    } catch {
      // not in this folder: the next one up
    }
  }
  try {
    return dirname(require.resolve(`${name}/package.json`))
  } catch {
    return undefined
  }
}

function versionOf(root: string): string {
  return (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version
}
