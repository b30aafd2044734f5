import { access, readFile, realpath } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { extname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { SwitchyardError } from '@switchyard/contract'
import { checkOptions } from '@switchyard/kernel'
import { parse as parseYaml } from 'yaml'
import { settingsSchema } from './schema.ts'
import type { Settings } from './settings.ts'

const MODULES: ReadonlySet<string> = new Set(['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs'])
const TEXTS: ReadonlySet<string> = new Set(['.json', '.yaml', '.yml'])
const NAMES = ['ts', 'js', 'json', 'yaml', 'yml'].map((extension) => `switchyard.config.${extension}`)

/** The configuration file of a folder, or undefined where it has none. Two of them are an error: nobody could say which counts. */
export async function findConfig(folder: string): Promise<string | undefined> {
  const there: string[] = []
  for (const name of NAMES) {
    const path = join(folder, name)
    if (await exists(path)) there.push(path)
  }
  if (there.length > 1) throw invalid(`${there.join(' and ')} are both here: keep one, or name it with --config`)
  return there[0]
}

/** Reads and validates a configuration file; without a path, the defaults. Rejects `CONFIG_INVALID` listing every problem. */
export async function readSettings(path: string | undefined, env: NodeJS.ProcessEnv): Promise<Settings> {
  return validSettings(path === undefined ? {} : await readRaw(resolve(path), env), path ?? 'defaults')
}

/** Validates settings from anywhere; `from` names them in messages. Rejects `CONFIG_INVALID` listing every problem. */
export async function validSettings(raw: unknown, from: string): Promise<Settings> {
  const { options, problems } = await checkOptions(from, settingsSchema, raw)
  if (problems.length > 0) throw invalid(`${from}:\n${problems.map(({ message, mend }) => `  ${message}. ${mend}`).join('\n')}`)
  return options as Settings
}

async function readRaw(path: string, env: NodeJS.ProcessEnv): Promise<unknown> {
  const extension = extname(path)
  if (!(await exists(path))) throw invalid(`${path} does not exist`)
  if (!MODULES.has(extension) && !TEXTS.has(extension))
    throw invalid(`${path} is of no known kind: name it .ts, .js, .json or .yaml`)
  try {
    if (MODULES.has(extension)) {
      // So that a reload reads the file again: ES modules are kept by URL, which the query changes, CommonJS ones by path.
      delete createRequire(import.meta.url).cache[await realpath(path)]
      const module = (await import(`${pathToFileURL(path).href}?read=${Date.now()}`)) as { default?: unknown }
      if (module.default === undefined)
        throw invalid(`${path} has no default export: write "export default defineConfig({ … })"`)
      return module.default
    }
    const text = await readFile(path, 'utf8')
    return fillReferences(extension === '.json' ? JSON.parse(text) : parseYaml(text), env, path)
  } catch (error) {
    if (SwitchyardError.is(error)) throw error
    throw invalid(`${path} could not be read: ${(error as Error).message}`)
  }
}

/** `${NAME}` and `${NAME:-default}` inside strings, as in compose files. All missing names are reported at once. */
function fillReferences(value: unknown, env: NodeJS.ProcessEnv, path: string): unknown {
  const missing = new Set<string>()
  const fill = (node: unknown): unknown => {
    if (typeof node === 'string') {
      return node.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g, (_, name: string, fallback: string | undefined) => {
        const found = env[name] || fallback
        if (found === undefined) missing.add(name)
        return found ?? ''
      })
    }
    if (Array.isArray(node)) return node.map(fill)
    if (typeof node === 'object' && node !== null)
      return Object.fromEntries(Object.entries(node).map(([key, inner]) => [key, fill(inner)]))
    return node
  }
  const filled = fill(value)
  if (missing.size > 0)
    throw invalid(`${path} refers to environment variables that are not set, or empty: ${[...missing].join(', ')}`)
  return filled ?? {}
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

function invalid(message: string): SwitchyardError {
  return new SwitchyardError('CONFIG_INVALID', message)
}
