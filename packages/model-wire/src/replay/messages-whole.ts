import { accumulate } from './accumulate.ts'
import { type Draft, isRecord, type Json, parseExact } from './exact-json.ts'
import type { Assembly } from './whole-of-stream.ts'

interface Block {
  readonly block: Draft
  /** JSON of a tool's input, as far as it has come. */
  input: string
}

/** Puts together a stream of `messages`. */
export function messagesAssembly(): Assembly {
  const pieces: number[] = []
  const blocks = new Map<number, Block>()
  let message: Draft | undefined
  let stopped = false
  return {
    pieces,
    add(event) {
      const { index } = event
      switch (event.type) {
        case 'error':
          return false
        case 'message_start':
          if (!isRecord(event.message)) return false
          message = { ...event.message }
          return true
        case 'content_block_start':
          if (!isRecord(event.content_block) || typeof index !== 'number') return false
          blocks.set(index, { block: begun(event.content_block), input: '' })
          return true
        case 'content_block_delta': {
          const open = typeof index === 'number' ? blocks.get(index) : undefined
          if (open === undefined || !isRecord(event.delta)) return false
          addDelta(open, event.delta, pieces)
          return true
        }
        case 'message_delta':
          if (message === undefined) return false
          end(message, event)
          return true
        case 'message_stop':
          stopped = true
          return true
        default:
          return true
      }
    },
    whole() {
      if (message === undefined || !stopped) return undefined
      const content: Json[] = []
      for (const [, { block, input }] of [...blocks].toSorted(([a], [b]) => a - b)) {
        if (input !== '') {
          const parsed = parseExact(input)
          if (parsed === undefined) return undefined
          block.input = parsed
        }
        content.push(block)
      }
      return { ...message, content }
    },
  }
}

function begun(block: Json): Draft {
  const copy: Draft = {}
  accumulate(copy, block)
  return copy
}

function addDelta(open: Block, { type, ...delta }: Json, pieces: number[]): void {
  const { block } = open
  if (type === 'input_json_delta') {
    if (typeof delta.partial_json === 'string') open.input += delta.partial_json
  } else if (type === 'citations_delta') accumulate(block, { citations: [delta.citation] })
  else {
    if (type === 'text_delta' && typeof delta.text === 'string') pieces.push(delta.text.length)
    accumulate(block, delta)
  }
}

function end(message: Draft, { type: _, delta, usage, ...rest }: Json): void {
  if (isRecord(delta)) Object.assign(message, delta)
  if (isRecord(usage)) message.usage = { ...(isRecord(message.usage) && message.usage), ...usage }
  Object.assign(message, rest)
}
