import { type Call, deploymentOf, type ModelRequest } from '@switchyard/contract'
import { metadataOf } from '@switchyard/model-wire'
import type { Dimension, LimitMatch } from './options.ts'

/** The request as a model's, undefined for another operation. */
export function modelRequestOf(call: Call): ModelRequest | undefined {
  return call.operation === 'model.invoke' ? (call.request as ModelRequest) : undefined
}

/** The value that a call has in a dimension; undefined where it has none, and then no limit of that dimension is for it. */
export function valueIn(dimension: Dimension, call: Call): string | undefined {
  const { principal } = call
  switch (dimension) {
    case 'all':
      return ''
    case 'tenant':
      return principal.tenant
    case 'team':
      return principal.team
    case 'user':
      return principal.user
    case 'key':
      return principal.keyId
    case 'model':
      return modelRequestOf(call)?.model
    case 'target':
      return deploymentOf(call)
    default:
      return metadataValue(call, dimension.slice('metadata.'.length))
  }
}

/** Whether a limit is for a call. */
export function matches(match: LimitMatch | undefined, call: Call): boolean {
  if (match === undefined) return true
  const { principal } = call
  return (
    isOne(match.tenants, principal.tenant) &&
    isOne(match.teams, principal.team) &&
    isOne(match.users, principal.user) &&
    isOne(match.keys, principal.keyId) &&
    isOne(match.operations, call.operation) &&
    (match.models === undefined || isOne(match.models, modelRequestOf(call)?.model)) &&
    (match.targets === undefined || isOne(match.targets, deploymentOf(call))) &&
    hasMetadata(match.metadata, call)
  )
}

function isOne(list: readonly string[] | undefined, value: string | undefined): boolean {
  if (list === undefined) return true
  if (value === undefined) return false
  return list.some((name) => (name.endsWith('*') ? value.startsWith(name.slice(0, -1)) : name === value))
}

function hasMetadata(wanted: LimitMatch['metadata'], call: Call): boolean {
  if (wanted === undefined) return true
  return Object.entries(wanted).every(([name, value]) => {
    const found = metadataValue(call, name)
    return found !== undefined && (Array.isArray(value) ? value.includes(found) : found === value)
  })
}

function metadataValue(call: Call, name: string): string | undefined {
  const request = modelRequestOf(call)
  if (request === undefined) return undefined
  const metadata = metadataOf(request)
  const value = Object.hasOwn(metadata, name) ? metadata[name] : undefined
  return typeof value === 'string' ? value : undefined
}
