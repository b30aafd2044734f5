import { isRecord, type Json } from './exact-json.ts'
import type { Assembly } from './whole-of-stream.ts'

/** Takes the response that ends a stream of `responses`. */
export function responsesAssembly(): Assembly {
  const pieces: number[] = []
  const items = new Map<number, unknown>()
  let response: Json | undefined
  return {
    pieces,
    add(event) {
      switch (event.type) {
        case 'error':
        case 'response.failed':
        case 'response.cancelled':
          return false
        case 'response.output_text.delta':
          if (typeof event.delta === 'string' && event.delta !== '') pieces.push(event.delta.length)
          return true
        case 'response.output_item.done':
          if (typeof event.output_index === 'number') items.set(event.output_index, event.item)
          return true
        case 'response.completed':
        case 'response.incomplete':
          if (!isRecord(event.response)) return false
          response = event.response
          return true
        default:
          return true
      }
    },
    whole: () => (response === undefined ? undefined : withItems(response, items)),
  }
}

/** Some servers leave the output out of the last event, since all of it was told before. */
function withItems(response: Json, items: ReadonlyMap<number, unknown>): Json {
  if (Array.isArray(response.output) && (response.output.length > 0 || items.size === 0)) return response
  return { ...response, output: [...items].toSorted(([a], [b]) => a - b).map(([, item]) => item) }
}
