type Item = Record<string, unknown>
export type ItemStatus = 'in_progress' | 'completed' | 'incomplete'

export function outputText(text: string): Item {
  return { type: 'output_text', text, annotations: [], logprobs: [] }
}

export function refusalPart(refusal: string): Item {
  return { type: 'refusal', refusal }
}

export function reasoningPart(text: string): Item {
  return { type: 'reasoning_text', text }
}

export function messageItem(id: string, status: ItemStatus, content: readonly Item[]): Item {
  return { id, type: 'message', status, role: 'assistant', content }
}

/** A target's reasoning as it told it: it is no summary. */
export function reasoningItem(id: string, status: ItemStatus, content: readonly Item[]): Item {
  return { id, type: 'reasoning', status, summary: [], content }
}

export function callItem(
  id: string,
  status: ItemStatus,
  call: { readonly id: string; readonly name: string; readonly arguments: string },
): Item {
  return { id, type: 'function_call', status, call_id: call.id, name: call.name, arguments: call.arguments }
}
