import { dirname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Plugin, SwitchyardError } from '@switchyard/contract'
import type { NamedPlugin } from './settings.ts'

type Factory = (options?: unknown, placement?: unknown) => unknown

/** Turns `{ use, options, as, bind }` into a plugin. Rejects `CONFIG_INVALID` naming the mend. */
export async function loadPlugin(entry: Plugin | NamedPlugin, configPath: string | undefined): Promise<Plugin> {
  if ('definition' in entry) return entry
  const module = await importFrom(entry.use, configPath)
  const placement = { ...(entry.as !== undefined && { as: entry.as }), ...(entry.bind && { bind: entry.bind }) }
  const factories = Object.entries(module).filter((pair): pair is [string, Factory] => isFactory(pair[1]))
  const chosen = entry.export === undefined ? factories : factories.filter(([name]) => name === entry.export)
  const [only, another] = chosen
  if (only === undefined || another !== undefined) {
    const names = factories.map(([name]) => name).join(', ') || 'none'
    throw invalid(
      `${entry.use}: ${another ? 'exports several plugins' : 'no such plugin is exported'}; set "export" to one of: ${names}`,
    )
  }
  return only[1](entry.options ?? {}, placement) as Plugin
}

async function importFrom(use: string, configPath: string | undefined): Promise<Record<string, unknown>> {
  const folder = configPath === undefined ? process.cwd() : dirname(resolve(configPath))
  try {
    if (use.startsWith('.') || use.startsWith('/')) return await import(pathToFileURL(resolve(folder, use)).href)
    // First from where the configuration lives, so that a team's own installed plugins are found; then what ships with the gateway.
    return await import(import.meta.resolve(use, pathToFileURL(`${folder}/`).href)).catch(() => import(use))
  } catch (cause) {
    throw invalid(
      `plugin ${JSON.stringify(use)} could not be loaded (${(cause as Error).message}); install it: npm install ${use}`,
    )
  }
}

/** A plugin factory gives a plugin for any input, since options are checked later, by the kernel. */
function isFactory(value: unknown): boolean {
  if (typeof value !== 'function' || /^class\b/.test(Function.prototype.toString.call(value))) return false
  try {
    const made = (value as Factory)({}) as Partial<Plugin> | undefined
    return typeof made === 'object' && made !== null && 'definition' in made && 'placement' in made
  } catch {
    return false
  }
}

function invalid(message: string): SwitchyardError {
  return new SwitchyardError('CONFIG_INVALID', message)
}
