import {
  type Bus,
  bus,
  type Cache,
  type Counters,
  cache,
  counters,
  type Flights,
  flights,
  type Port,
  type VectorIndex,
  vectors,
} from '@switchyard/contract'

/** The ports of this plugin, all on one Redis. */
export const provides: {
  readonly cache: Port<Cache>
  readonly counters: Port<Counters>
  readonly bus: Port<Bus>
  readonly flights: Port<Flights>
  readonly vectors: Port<VectorIndex>
} = { cache, counters, bus, flights, vectors }
