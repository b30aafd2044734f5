import type { ModelEndpoint } from '@switchyard/contract'
import type { UsageRoute } from '../usage/normalise.ts'
import type { Reading } from './fields.ts'

export interface TranslateOptions {
  /**
   * Told the path of each field that was left out because it cannot change the answer: hints on price, speed or storage, and another
   * vendor's sealed reasoning. Everything else that cannot be carried throws.
   */
  readonly note?: ((param: string) => void) | undefined
  /** How a chat target names the limit of its output. Default `max_completion_tokens`. */
  readonly maxTokensField?: 'max_completion_tokens' | 'max_tokens' | undefined
  /** Output limit for a `messages` target, which needs one, where the client set none. Default 4096. */
  readonly maxTokens?: number | undefined
}

export interface ReplyOptions {
  /** Epoch seconds, for replies whose dialect tells no time of its own. */
  readonly created: number
  /** By which rule the target's usage becomes totals. Default: its dialect's. */
  readonly usage?: UsageRoute | undefined
}

function silent(): void {}

export function readingFor(to: ModelEndpoint, options: TranslateOptions | undefined): Reading {
  return { to, note: options?.note ?? silent }
}
