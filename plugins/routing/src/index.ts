export type { ArmOff } from './events.ts'
export { feedbackLines } from './feedback/feedback-lines.ts'
export { type Feedback, type FeedbackInput, type FeedbackRow, feedback } from './feedback/port.ts'
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
