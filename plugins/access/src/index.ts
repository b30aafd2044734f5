export type { KeyEvent, LoginFailed, LoginFailure } from './events.ts'
export { allows } from './name-match.ts'
export type { AccessInput } from './options.ts'
export { access } from './plugin.ts'
