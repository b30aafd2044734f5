export type { KeyEvent, LoginFailed, LoginFailure } from './events.ts'
export type { AccessInput } from './options.ts'
export { access } from './plugin.ts'
