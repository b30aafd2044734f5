import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Plugin, Port } from '@switchyard/contract'
import { UsageError } from './usage-error.ts'

/** What a module exports for users to call. */
export type Factory = (options: Readonly<Record<string, unknown>>) => Plugin

/**
 * Imports a module, by path or as a package installed where the command runs, and picks the plugin factory to examine: the one
 * named, or the only export that, called with the options, gives a plugin with that port. Rejects with UsageError.
 */
export async function loadFactory(
  module: string,
  port: Port,
  options: Readonly<Record<string, unknown>>,
  exportName: string | undefined,
): Promise<Factory> {
  const exported = await importModule(module)
  if (exportName !== undefined) {
    const factory = exported[exportName]
    if (typeof factory !== 'function') {
      throw new UsageError(`${module} exports no function ${exportName}; it exports ${listed(Object.keys(exported))}`)
    }
    const plugin = called(factory as Factory, options)
    if (plugin === undefined) throw new UsageError(`${exportName} of ${module} gave no plugin; make it with definePlugin`)
    if (!gives(plugin, port)) {
      throw new UsageError(`${exportName} of ${module} does not provide ${name(port)}; it provides ${provided(plugin)}`)
    }
    return factory as Factory
  }
  const plugins = Object.entries(exported).flatMap(([key, value]) => {
    const plugin = typeof value === 'function' ? called(value as Factory, options) : undefined
    return plugin === undefined ? [] : [{ key, plugin, factory: value as Factory }]
  })
  const fitting = plugins.filter(({ plugin }) => gives(plugin, port))
  const [only] = fitting
  if (only === undefined) {
    const found = plugins.map(({ key, plugin }) => `${key} (provides ${provided(plugin)})`)
    throw new UsageError(`${module} exports no plugin that provides ${name(port)}; plugins in it: ${listed(found)}`)
  }
  if (fitting.length > 1) {
    const keys = listed(fitting.map(({ key }) => key))
    throw new UsageError(`${module} exports several plugins that provide ${name(port)}: ${keys}; pick one with --export`)
  }
  return only.factory
}

async function importModule(module: string): Promise<Readonly<Record<string, unknown>>> {
  const path = resolve(module)
  let url: string
  if (existsSync(path)) url = pathToFileURL(path).href
  else if (/^\.{0,2}\//.test(module))
    throw new UsageError(`there is no file ${module}; build the plugin first, or mend the path`)
  else {
    try {
      url = pathToFileURL(createRequire(resolve('package.json')).resolve(module)).href
    } catch (error) {
      throw new UsageError(
        `${module} is neither a file nor a package installed here; install it, or give the path of its module`,
        {
          cause: error,
        },
      )
    }
  }
  try {
    return (await import(url)) as Readonly<Record<string, unknown>>
  } catch (error) {
    throw new UsageError(`${module} cannot be imported: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    })
  }
}

function called(factory: Factory, options: Readonly<Record<string, unknown>>): Plugin | undefined {
  try {
    const plugin = factory(options)
    return typeof plugin?.definition?.setup === 'function' ? plugin : undefined
  } catch {
    // Not a plugin factory: a class, or a helper that wants other arguments.
    return undefined
  }
}

function ports(plugin: Plugin): readonly Port[] {
  return Object.values((plugin.definition.provides ?? {}) as Readonly<Record<string, Port>>)
}

function gives(plugin: Plugin, port: Port): boolean {
  return ports(plugin).some(({ id, version }) => id === port.id && version === port.version)
}

function provided(plugin: Plugin): string {
  return listed(ports(plugin).map(name))
}

function name({ id, version }: Port): string {
  return `${id}@${version}`
}

function listed(items: readonly string[]): string {
  return items.length === 0 ? 'nothing' : items.join(', ')
}
