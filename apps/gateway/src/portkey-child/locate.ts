import { readFileSync, realpathSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
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
 * Finds the `@portkey-ai/gateway` that a module at `from` (a file URL) would get, and checks that it can answer.
 * @throws SwitchyardError `CONFIG_INVALID` when it is missing, or would run with another `@hono/node-server` than it needs.
 */
export function locatePortkey(from: string = import.meta.url): PortkeyProgram {
  const root = packageRoot('@portkey-ai/gateway', from)
  if (root === undefined) {
    throw new SwitchyardError(
      'CONFIG_INVALID',
      `@portkey-ai/gateway is not installed: npm install @portkey-ai/gateway@${TESTED}`,
    )
  }
  const version = versionOf(root)
  const path = join(root, 'build', 'start-server.js')
  const server = packageRoot('@hono/node-server', path)
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

function packageRoot(name: string, from: string): string | undefined {
  try {
    const manifest = findPackageJSON(name, from)
    // The real path: what it imports is looked up from there, and not from where it is linked.
    return manifest === undefined ? undefined : dirname(realpathSync(manifest))
  } catch {
    return undefined
  }
}

function versionOf(root: string): string {
  return (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version
}
