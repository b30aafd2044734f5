import type { Call } from '@switchyard/contract'
import { metadataOf } from '@switchyard/model-wire'
import type { Features } from './features.ts'
import type { Condition } from './options.ts'

/** What conditions look at, each worked out once a call and only when asked. */
export interface Asked {
  readonly features: Features
  /** Expected tokens of the prompt. */
  inputTokens(): number
}

/** Whether every member of a condition holds for a call. */
export function holds(when: Condition | undefined, call: Call<'model.invoke'>, asked: Asked): boolean {
  if (when === undefined) return true
  const { principal, request } = call
  return (
    isOne(when.tenants, principal.tenant) &&
    isOne(when.teams, principal.team) &&
    agrees(when.stream, () => request.stream) &&
    agrees(when.tools, () => asked.features.tools) &&
    agrees(when.vision, () => asked.features.vision) &&
    agrees(when.jsonSchema, () => asked.features.jsonSchema) &&
    (when.inputTokensOver === undefined || asked.inputTokens() > when.inputTokensOver) &&
    (when.inputTokensUpTo === undefined || asked.inputTokens() <= when.inputTokensUpTo) &&
    hasMetadata(when.metadata, call)
  )
}

function isOne(list: readonly string[] | undefined, value: string | undefined): boolean {
  return list === undefined || (value !== undefined && list.includes(value))
}

function agrees(wanted: boolean | undefined, fact: () => boolean): boolean {
  return wanted === undefined || fact() === wanted
}

function hasMetadata(wanted: Condition['metadata'], { request }: Call<'model.invoke'>): boolean {
  if (wanted === undefined) return true
  const metadata = metadataOf(request)
  return Object.entries(wanted).every(([name, value]) => {
    const found = Object.hasOwn(metadata, name) ? metadata[name] : undefined
    return Array.isArray(value) ? value.includes(found) : found === value
  })
}
