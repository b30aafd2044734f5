import { hash } from 'node:crypto'
import type { RoutingOptions } from './options.ts'

/** A digest of each public name's definition: what was answered under another one is not what the name stands for now. */
export function versionsOf({ routes }: Pick<RoutingOptions, 'routes'>): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(routes).map(([name, route]) => [name, hash('sha256', JSON.stringify(route), 'base64url').slice(0, 16)]),
  )
}
