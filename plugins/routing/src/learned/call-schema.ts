import { canonicalName, proposedCalls } from './answers.ts'
import type { CallValue } from './call-syntax.ts'

/** A function that was offered: a name and JSON-schema-like parameters, of any dialect's type names. */
export interface OfferedFunction {
  readonly name?: unknown
  readonly parameters?: unknown
}

interface Schema {
  readonly type?: unknown
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: unknown
  readonly items?: Schema
  readonly enum?: readonly unknown[]
}

const NUMBER_TYPES = new Set(['integer', 'int', 'long', 'short', 'byte', 'number', 'float', 'double', 'bigint'])
const WHOLE_TYPES = new Set(['integer', 'int', 'long', 'short', 'byte', 'bigint'])

/**
 * True if a reply is nothing but calls that the offered functions admit: known names, all required arguments, none unknown,
 * values of the stated types. Text is taken for any type but a list, since languages without literals write it so.
 */
export function passesSchema(reply: string, offered: readonly OfferedFunction[]): boolean {
  const calls = proposedCalls(reply)
  if (calls === undefined) return false
  return calls.every(({ name, args }) => {
    const wanted = canonicalName(name)
    const found = offered.find((one) => typeof one.name === 'string' && canonicalName(one.name) === wanted)
    return found !== undefined && admits((found.parameters ?? {}) as Schema, args)
  })
}

function admits(schema: Schema, args: Readonly<Record<string, CallValue>>): boolean {
  const { properties, required } = schema
  if (Array.isArray(required) && required.some((key) => !Object.hasOwn(args, String(key)))) return false
  if (properties === undefined) return true
  return Object.entries(args).every(([key, value]) => {
    const property = Object.hasOwn(properties, key) ? properties[key] : undefined
    return property !== undefined && fits(property, value)
  })
}

function fits(schema: Schema, value: CallValue): boolean {
  if (value === null) return true
  if (Array.isArray(schema.enum) && !schema.enum.some((one) => String(one) === String(value))) return false
  const type = typeof schema.type === 'string' ? schema.type.toLowerCase() : ''
  if (NUMBER_TYPES.has(type)) {
    if (typeof value === 'string') return true
    return typeof value === 'number' && (!WHOLE_TYPES.has(type) || Number.isInteger(value))
  }
  if (type === 'boolean') return typeof value === 'boolean' || typeof value === 'string'
  if (type === 'string' || type === 'char') return typeof value === 'string'
  if (type === 'array' || type === 'tuple' || type === 'arraylist') {
    if (typeof value === 'string') return type !== 'tuple'
    return Array.isArray(value) && (schema.items === undefined || value.every((item) => fits(schema.items as Schema, item)))
  }
  if (type === 'dict' || type === 'object' || type === 'hashmap') {
    if (typeof value === 'string') return true
    if (typeof value !== 'object' || Array.isArray(value)) return false
    return (
      schema.properties === undefined ||
      Object.keys(schema.properties).length === 0 ||
      admits(schema, value as Record<string, CallValue>)
    )
  }
  return true
}
