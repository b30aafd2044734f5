import { type Fields, invalid, put } from '../dialect/fields.ts'

/** A tool of the client's own. Those that Anthropic runs, or gives a schema of its own, have no counterpart. */
export function toolToChat(tool: Fields): Record<string, unknown> {
  tool.only('type', 'custom')
  const made: Record<string, unknown> = { name: tool.needText('name') }
  put(made, 'description', tool.text('description'))
  made.parameters = tool.get('input_schema')
  if (made.parameters === undefined) throw invalid(tool.at('input_schema'), 'is required')
  put(made, 'strict', tool.flag('strict'))
  tool.only('defer_loading', false)
  const callers = tool.list('allowed_callers') ?? []
  if (callers.some((caller) => caller !== 'direct')) throw tool.unsupported('allowed_callers')
  if ((tool.list('input_examples') ?? []).length > 0) throw tool.unsupported('input_examples')
  tool.hint('cache_control', 'eager_input_streaming')
  tool.end()
  return { type: 'function', function: made }
}

const CHOICES: Readonly<Record<string, string>> = { auto: 'auto', any: 'required', none: 'none' }

export function toolChoiceToChat(choice: Fields | undefined): Record<string, unknown> {
  const chat: Record<string, unknown> = {}
  if (choice === undefined) return chat
  const type = choice.needText('type')
  if (type === 'tool') chat.tool_choice = { type: 'function', function: { name: choice.needText('name') } }
  else if (Object.hasOwn(CHOICES, type)) chat.tool_choice = CHOICES[type]
  else throw choice.unsupported('type')
  if (choice.flag('disable_parallel_tool_use') === true) chat.parallel_tool_calls = false
  choice.end()
  return chat
}
