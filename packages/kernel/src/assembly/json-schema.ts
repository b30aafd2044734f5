/** The parts of a JSON Schema (2020-12) that say which keys an object may have. */
interface Schema {
  readonly $ref?: string
  readonly $defs?: Readonly<Record<string, Schema>>
  readonly definitions?: Readonly<Record<string, Schema>>
  readonly type?: string | readonly string[]
  readonly const?: unknown
  readonly properties?: Readonly<Record<string, Schema>>
  readonly patternProperties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: boolean | Schema
  readonly items?: boolean | Schema
  readonly prefixItems?: readonly Schema[]
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly allOf?: readonly Schema[]
}

/** A key that the schema does not know, and those it knows in its place. */
export interface UnknownKey {
  readonly path: readonly string[]
  readonly known: readonly string[]
}

const DEEPEST_REFERENCE = 32

/** JSON Schema of a Standard Schema's input, where its vendor speaks Standard JSON Schema and the schema can be told in it. */
export function inputSchema(schema: unknown): object | undefined {
  const standard = (schema as { '~standard'?: { jsonSchema?: { input?(options: object): unknown } } })['~standard']
  try {
    const described = standard?.jsonSchema?.input?.({
      target: 'draft-2020-12',
      libraryOptions: { unrepresentable: 'any' },
    })
    return typeof described === 'object' && described !== null ? described : undefined
  } catch {
    return undefined
  }
}

/**
 * Splits an input into what the schema knows and the unknown keys, at every depth. Only plain objects and arrays are walked,
 * and only those on the way to an unknown key are copied: clients, functions and secrets among the options stay as they are.
 */
export function splitUnknownKeys(root: object, input: unknown): { known: unknown; unknown: readonly UnknownKey[] } {
  const unknown: UnknownKey[] = []
  return { known: walk(root as Schema, [root as Schema], input, [], unknown), unknown }
}

function walk(root: Schema, schemas: readonly Schema[], value: unknown, path: readonly string[], found: UnknownKey[]): unknown {
  const branches = schemas.flatMap((schema) => flatten(root, schema, 0))
  if (Array.isArray(value)) return walkArray(root, branches, value, path, found)
  if (!isPlainObject(value)) return value
  const objects = branches.filter((branch) => describesObject(branch) && fits(branch, value))
  if (objects.length === 0 || branches.some(isOpen)) return value
  const known = new Set(objects.flatMap((branch) => Object.keys(branch.properties ?? {})))
  let copy: Record<string, unknown> | undefined
  for (const [key, item] of Object.entries(value)) {
    const schemasOfKey = objects.flatMap((branch) => schemasFor(branch, key))
    if (schemasOfKey.length === 0) {
      found.push({ path: [...path, key], known: [...known] })
      copy ??= { ...value }
      delete copy[key]
      continue
    }
    const walked = walk(root, schemasOfKey, item, [...path, key], found)
    if (walked !== item) {
      copy ??= { ...value }
      copy[key] = walked
    }
  }
  return copy ?? value
}

function walkArray(
  root: Schema,
  branches: readonly Schema[],
  value: readonly unknown[],
  path: readonly string[],
  found: UnknownKey[],
): unknown {
  let copy: unknown[] | undefined
  value.forEach((item, index) => {
    const schemas = branches.flatMap((branch) => branch.prefixItems?.[index] ?? asSchema(branch.items))
    if (schemas.length === 0) return
    const walked = walk(root, schemas, item, [...path, String(index)], found)
    if (walked === item) return
    copy ??= [...value]
    copy[index] = walked
  })
  return copy ?? value
}

/** A schema without its references and combinators: all alternatives side by side. */
function flatten(root: Schema, schema: Schema, depth: number): Schema[] {
  if (typeof schema !== 'object' || schema === null || depth > DEEPEST_REFERENCE) return [{}]
  if (schema.$ref !== undefined) return flatten(root, dereference(root, schema.$ref), depth + 1)
  const parts = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])]
  const flat = parts.flatMap((part) => flatten(root, part, depth + 1))
  return parts.length === 0 || schema.properties !== undefined ? [schema, ...flat] : flat
}

function dereference(root: Schema, reference: string): Schema {
  if (reference === '#') return root
  const name = /^#\/(?:\$defs|definitions)\/(.+)$/.exec(reference)?.[1]
  return (name === undefined ? undefined : (root.$defs?.[name] ?? root.definitions?.[name])) ?? {}
}

function describesObject(schema: Schema): boolean {
  return schema.properties !== undefined || schema.additionalProperties !== undefined || schema.type === 'object'
}

/** A branch of a union whose constant keys differ from the value's is not the one that is meant. */
function fits(schema: Schema, value: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(schema.properties ?? {}).every(
    ([key, property]) => property.const === undefined || value[key] === undefined || property.const === value[key],
  )
}

/** Says nothing about keys, so any key may be meant. */
function isOpen(schema: Schema): boolean {
  if (schema.additionalProperties === true) return true
  if (schema.type === undefined) return !describesObject(schema) && schema.const === undefined
  return schema.type === 'object' && schema.properties === undefined && schema.additionalProperties === undefined
}

function schemasFor(schema: Schema, key: string): readonly Schema[] {
  const property = Object.hasOwn(schema.properties ?? {}, key) ? schema.properties?.[key] : undefined
  if (property !== undefined) return [property]
  for (const [pattern, patterned] of Object.entries(schema.patternProperties ?? {})) {
    if (new RegExp(pattern, 'u').test(key)) return [patterned]
  }
  return asSchema(schema.additionalProperties)
}

function asSchema(schema: boolean | Schema | undefined): readonly Schema[] {
  if (schema === true) return [{}]
  return schema === undefined || schema === false ? [] : [schema]
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
