import { isRecord, type Json } from './exact-json.ts'

/** The response that ends a stream of `responses`. `pieces` takes the length of each text. */
export function wholeOfResponses(events: readonly Json[], pieces: number[]): Json | undefined {
  const items = new Map<number, unknown>()
  for (const event of events) {
    switch (event.type) {
      case 'error':
      case 'response.failed':
      case 'response.cancelled':
        return undefined
      case 'response.output_text.delta':
        if (typeof event.delta === 'string' && event.delta !== '') pieces.push(event.delta.length)
        break
      case 'response.output_item.done':
        if (typeof event.output_index === 'number') items.set(event.output_index, event.item)
        break
      case 'response.completed':
      case 'response.incomplete':
        return isRecord(event.response) ? withItems(event.response, items) : undefined
    }
  }
  return undefined
}

/** Some servers leave the output out of the last event, since all of it was told before. */
function withItems(response: Json, items: ReadonlyMap<number, unknown>): Json {
  if (Array.isArray(response.output) && (response.output.length > 0 || items.size === 0)) return response
  return { ...response, output: [...items].toSorted(([a], [b]) => a - b).map(([, item]) => item) }
}
