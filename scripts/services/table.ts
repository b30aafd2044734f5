import type { Service, ServiceName } from './contract.ts'
import { postgres } from './postgres.ts'
import { redis } from './redis.ts'

/** Every server that tests may ask for. A further one is a row here and a file beside `postgres.ts`. */
export const SERVICES: Readonly<Record<ServiceName, Service>> = { postgres, redis }

/** The services' names, in the table's order. */
export const SERVICE_NAMES: readonly ServiceName[] = Object.keys(SERVICES) as ServiceName[]
