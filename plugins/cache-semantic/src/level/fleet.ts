import type { Bus, Logger } from '@switchyard/contract'
import type { Label } from '../policy/label.ts'
import { decodeLabel, encodeLabel } from './label-message.ts'
import type { Populations } from './populations.ts'

/** The other nodes, as far as labels go. */
export interface Fleet {
  /** Tells them of a label; a message that is lost is evidence that they lack, no more. */
  tell(population: string, group: string, label: Label): void
  close(): Promise<void>
}

export interface FleetParts {
  readonly bus: Bus
  readonly node: string
  readonly encoder: string
  readonly populations: Populations
  readonly log: Pick<Logger, 'warn'>
}

const TOPIC = 'cache-semantic:labels'

/** Listens to the labels of other nodes, and tells them ours. Where the bus refuses, each node learns by itself. */
export async function fleet({ bus, node, encoder, populations, log }: FleetParts): Promise<Fleet> {
  let told = false
  const failed = (error: unknown): void => {
    if (!told) log.warn({ error }, 'labels do not reach the other nodes; it is not logged again')
    told = true
  }
  const end = await bus
    .subscribe(TOPIC, (bytes) => {
      const message = decodeLabel(bytes)
      if (message === undefined || message.node === node || message.encoder !== encoder) return
      // Who does not have the population loaded will find the label in its saved state.
      const population = populations.known(message.population)
      if (population === undefined) return
      population.learnFrom(message.label, message.group)
      populations.learnt(population, false)
    })
    .catch((error: unknown) => {
      failed(error)
      return async () => {}
    })
  return {
    tell(population, group, label) {
      bus.publish(TOPIC, encodeLabel({ node, population, encoder, group, label })).catch(failed)
    },
    close: end,
  }
}
