type Schema = Readonly<Record<string, unknown>>

/** What every string is, where its schema asks for nothing else; several bytes a character, so that splits fall inside. */
const WORD = 'Grüße 🚃'
/** Where recursive schemas end: lists below are empty, and null is taken where it may be. */
const DEEPEST = 6

/**
 * A value that fits a JSON schema, the same one each time: enums by their first member, every property of an object, one item a list.
 * Understands what tools and structured output are described with, `$ref` within the schema among it; no `pattern` or `not`.
 */
export function fittingValue(schema: unknown): unknown {
  const root = asSchema(schema)
  return fit(root, root, 0)
}

function fit(schema: Schema, root: Schema, depth: number): unknown {
  if (typeof schema.$ref === 'string') return fit(resolved(schema.$ref, root), root, depth + 1)
  if (Object.hasOwn(schema, 'const')) return schema.const
  if (Array.isArray(schema.enum)) return schema.enum[0] as unknown
  const variants = (schema.anyOf ?? schema.oneOf) as readonly unknown[] | undefined
  if (Array.isArray(variants)) return fit(chosen(variants.map(asSchema), depth), root, depth + 1)
  if (Array.isArray(schema.allOf)) return fit(Object.assign({}, ...schema.allOf) as Schema, root, depth + 1)
  switch (typeOf(schema, depth)) {
    case 'object':
      return fitObject(schema, root, depth)
    case 'array':
      return fitArray(schema, root, depth)
    case 'integer':
      return fitNumber(schema, 3)
    case 'number':
      return fitNumber(schema, 1.5)
    case 'boolean':
      return true
    case 'null':
      return null
    default:
      return fitText(schema)
  }
}

function typeOf(schema: Schema, depth: number): unknown {
  if (Array.isArray(schema.type)) {
    const types: readonly unknown[] = schema.type
    if (depth > DEEPEST && types.includes('null')) return 'null'
    return types.find((type) => type !== 'null') ?? 'null'
  }
  return schema.type ?? (schema.properties === undefined ? 'string' : 'object')
}

function chosen(variants: readonly Schema[], depth: number): Schema {
  const nothing = variants.find(({ type }) => type === 'null')
  if (depth > DEEPEST && nothing !== undefined) return nothing
  return variants.find(({ type }) => type !== 'null') ?? {}
}

function fitObject(schema: Schema, root: Schema, depth: number): object {
  const required: readonly unknown[] = Array.isArray(schema.required) ? schema.required : []
  const members = Object.entries(asSchema(schema.properties)).filter(([name]) => depth <= DEEPEST || required.includes(name))
  return Object.fromEntries(members.map(([name, member]) => [name, fit(asSchema(member), root, depth + 1)]))
}

function fitArray(schema: Schema, root: Schema, depth: number): unknown[] {
  const least = numberOf(schema.minItems) ?? 0
  const length = depth > DEEPEST ? least : Math.max(1, least)
  return Array.from({ length }, () => fit(asSchema(schema.items), root, depth + 1))
}

function fitNumber(schema: Schema, usual: number): number {
  const above = numberOf(schema.exclusiveMinimum)
  const least = numberOf(schema.minimum) ?? (above === undefined ? undefined : above + 1)
  const below = numberOf(schema.exclusiveMaximum)
  const most = numberOf(schema.maximum) ?? (below === undefined ? undefined : below - 1)
  return Math.min(Math.max(usual, least ?? usual), most ?? Number.POSITIVE_INFINITY)
}

function fitText(schema: Schema): string {
  if (schema.format === 'date-time') return '2026-01-02T03:04:05Z'
  const text = WORD.padEnd(numberOf(schema.minLength) ?? 0, '.')
  const most = numberOf(schema.maxLength)
  return most === undefined ? text : [...text].slice(0, most).join('')
}

function resolved(ref: string, root: Schema): Schema {
  let found: unknown = root
  for (const name of ref.split('/').slice(1)) found = asSchema(found)[name]
  return asSchema(found)
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}

function asSchema(value: unknown): Schema {
  return typeof value === 'object' && value !== null ? (value as Schema) : {}
}
