export type { HealthInput } from './options.ts'
export { health } from './plugin.ts'
