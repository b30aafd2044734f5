export {
  type Condition,
  type RouteInput,
  type RoutingInput,
  type RoutingOptions,
  routingOptions,
  type StrategyName,
} from './options.ts'
export { routing } from './plugin.ts'
export { type PortkeyConfigOptions, type PortkeyNode, portkeyConfig } from './portkey-config.ts'
