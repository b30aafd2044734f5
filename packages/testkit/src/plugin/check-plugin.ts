import { CONTRACT, type Need, type Plugin, type Port, type SetupResult, SwitchyardError } from '@switchyard/contract'

type Definition = Plugin['definition']

/** Rejects a definition that no kernel would start: `CONTRACT_UNSUPPORTED`, or `CONFIG_INVALID` where its shape is wrong. */
export function checkDefinition(definition: Definition): void {
  const name = JSON.stringify(definition.name)
  if (typeof definition.name !== 'string' || definition.name === '') {
    throw new SwitchyardError('CONFIG_INVALID', `a plugin needs its npm package name as \`name\`, not ${name}`)
  }
  if (definition.contract !== CONTRACT) {
    throw new SwitchyardError(
      'CONTRACT_UNSUPPORTED',
      `${definition.name} is written for contract ${definition.contract}, this testkit for ${CONTRACT}; update the older of the two`,
    )
  }
  if (typeof definition.options?.['~standard']?.validate !== 'function') {
    throw new SwitchyardError(
      'CONFIG_INVALID',
      `${definition.name}: \`options\` is not a Standard Schema; zod 3.24 and later make one`,
    )
  }
}

/** Validates by the plugin's own schema. Rejects `CONFIG_INVALID` with every issue and its path. */
export async function validateOptions(definition: Definition, input: unknown): Promise<unknown> {
  const outcome = await definition.options['~standard'].validate(input)
  if (outcome.issues === undefined) return outcome.value
  const issues = outcome.issues as readonly { message: string; path?: readonly unknown[] }[]
  const lines = issues.map(({ message, path = [] }) => `${path.map(step).join('.') || '(options)'}: ${message}`)
  throw new SwitchyardError('CONFIG_INVALID', `options of ${definition.name} are wrong: ${lines.join('; ')}`, {
    details: { issues: lines },
  })
}

function step(part: unknown): string {
  return String(typeof part === 'object' && part !== null && 'key' in part ? part.key : part)
}

/** Holds what a test hands in against `requires`. Rejects `DEPENDENCY_MISSING`; TypeError for a key that was not asked for. */
export function resolveDependencies(
  definition: Definition,
  given: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const requires: Readonly<Record<string, Port | Need>> = definition.requires ?? {}
  for (const key of Object.keys(given)) {
    if (!Object.hasOwn(requires, key)) {
      const known = Object.keys(requires).join(', ') || 'nothing'
      throw new TypeError(`${definition.name} requires ${known}, but the test gave deps.${key}`)
    }
  }
  const deps: Record<string, unknown> = {}
  for (const [key, need] of Object.entries(requires)) {
    const arity = 'arity' in need ? need.arity : 'one'
    const port = 'arity' in need ? need.port : need
    if (given[key] === undefined && arity === 'one') {
      throw new SwitchyardError(
        'DEPENDENCY_MISSING',
        `${definition.name} requires ${port.id}@${port.version}: give it as deps.${key}`,
      )
    }
    deps[key] = given[key] ?? (arity === 'many' ? new Map() : undefined)
  }
  return deps
}

/** Holds what `setup` returned against `provides`. Throws `STARTUP_FAILED` for a port that is missing or was not promised. */
export function checkResult(definition: Definition, result: SetupResult<Record<string, Port>>): void {
  const promised = Object.keys(definition.provides ?? {})
  const returned = Object.keys(result?.ports ?? {}).filter((key) => result.ports[key] !== undefined)
  const missing = promised.filter((key) => !returned.includes(key))
  const extra = returned.filter((key) => !promised.includes(key))
  if (result?.ports === undefined || missing.length > 0) {
    const keys = missing.join(', ') || 'an object, also when it is empty'
    throw new SwitchyardError('STARTUP_FAILED', `setup of ${definition.name} must return in \`ports\`: ${keys}`)
  }
  if (extra.length > 0) {
    throw new SwitchyardError(
      'STARTUP_FAILED',
      `setup of ${definition.name} returned ports missing in \`provides\`: ${extra.join(', ')}`,
    )
  }
}
