import { existsSync } from 'node:fs'
import { findPackageJSON, registerHooks } from 'node:module'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Plugin, SwitchyardError } from '@switchyard/contract'
import type { NamedPlugin } from './settings.ts'

type Factory = (options?: unknown, placement?: unknown) => unknown
type Exports = Readonly<Record<string, unknown>>

/** Turns `{ use, options, as, bind }` into a plugin. Rejects `CONFIG_INVALID` naming the mend. */
export async function loadPlugin(entry: Plugin | NamedPlugin, configPath: string | undefined): Promise<Plugin> {
  if ('definition' in entry) return entry
  const folder = configPath === undefined ? process.cwd() : dirname(resolve(configPath))
  const factory = pick(entry, await exportsOf(entry.use, folder))
  const placement = { ...(entry.as !== undefined && { as: entry.as }), ...(entry.bind && { bind: entry.bind }) }
  return factory(entry.options ?? {}, placement) as Plugin
}

function pick(entry: NamedPlugin, exports: Exports): Factory {
  if (entry.export !== undefined) {
    const named = exports[entry.export]
    if (isFactory(named)) return named
  }
  const factories = Object.entries(exports).filter((pair): pair is [string, Factory] => isFactory(pair[1]))
  const [only, another] = factories
  if (only !== undefined && another === undefined && entry.export === undefined) return only[1]
  const names = factories.map(([name]) => name).join(', ')
  if (names === '') throw invalid(`${entry.use}: it exports no plugin factory; name a package that does`)
  const wrong = entry.export === undefined ? 'exports several plugins' : `exports no plugin ${JSON.stringify(entry.export)}`
  throw invalid(`${entry.use}: it ${wrong}; set "export" to one of: ${names}`)
}

async function exportsOf(use: string, folder: string): Promise<Exports> {
  const isPath = use.startsWith('.') || isAbsolute(use)
  const path = resolve(folder, use)
  if (isPath && !existsSync(path)) throw invalid(`plugin ${JSON.stringify(use)} could not be loaded: there is no ${path}`)
  try {
    return isPath ? await import(pathToFileURL(path).href) : await importPackage(use, folder)
  } catch (cause) {
    const { message, code } = cause as NodeJS.ErrnoException
    const absent = !isPath && code === 'ERR_MODULE_NOT_FOUND' && message.includes(`'${use}'`)
    throw invalid(
      `plugin ${JSON.stringify(use)} could not be loaded (${message})${absent ? `; npm install ${use}` : ''}`,
      cause,
    )
  }
}

/**
 * Imports a package as a module in `folder` would, so that a team's own installed plugins are found; then as this file would, for
 * what ships with the gateway. `import` itself knows only the second, and `require.resolve` no package that only `import` may load.
 */
async function importPackage(use: string, folder: string): Promise<Exports> {
  const parentURL = pathToFileURL(join(folder, 'switchyard.config.js')).href
  if (!isInstalled(use, parentURL)) return import(use)
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier, specifier === use && context.parentURL === import.meta.url ? { ...context, parentURL } : context),
  })
  try {
    return await import(use)
  } finally {
    hooks.deregister()
  }
}

function isInstalled(use: string, parentURL: string): boolean {
  try {
    return findPackageJSON(use, parentURL) !== undefined
  } catch {
    return false
  }
}

/** A plugin factory gives a plugin for any input, since options are checked later, by the kernel. */
function isFactory(value: unknown): value is Factory {
  if (typeof value !== 'function' || /^class\b/.test(Function.prototype.toString.call(value))) return false
  try {
    const made = (value as Factory)({})
    // Other exports may be async: what they reject with is not ours to report.
    if (made instanceof Promise) made.catch(() => {})
    return typeof made === 'object' && made !== null && 'definition' in made && 'placement' in made
  } catch {
    return false
  }
}

function invalid(message: string, cause?: unknown): SwitchyardError {
  return new SwitchyardError('CONFIG_INVALID', message, { cause })
}
