export { type PortkeyInput, type PortkeyOptions, type ProviderInput, type ProviderOptions, portkeyOptions } from './options.ts'
export { portkey } from './plugin.ts'
export { encodeConfig, type PortkeyConfig, type PortkeyStrategy, portkeyConfig } from './portkey-config.ts'
