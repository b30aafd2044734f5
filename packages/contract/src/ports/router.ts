import { definePort, type Port } from '../port.ts'
import type { ModelCard } from './model.ts'

/**
 * Public names that stand for one or several models. A call for one of them has the router's instance as its target; the router's
 * policy at stage `route` then replaces the target.
 */
export interface Router {
  /** One card a name, in the order of the routing table. Ids are unique and never of the form `provider/model`. */
  routes(): readonly ModelCard[]
  /** Opaque: another one where the name stands for something else than before. Undefined for a name that is none. */
  version?(name: string): string | undefined
}

export const router: Port<Router> = definePort<Router>('router', 1)
