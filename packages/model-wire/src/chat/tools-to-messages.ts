import { type Fields, put } from '../dialect/fields.ts'

export function toolToMessages(tool: Fields): Record<string, unknown> {
  if (tool.needText('type') !== 'function') throw tool.unsupported('type')
  const given = tool.needObject('function')
  const made: Record<string, unknown> = { name: given.needText('name') }
  put(made, 'description', given.text('description'))
  made.input_schema = given.get('parameters') ?? { type: 'object', properties: {} }
  put(made, 'strict', given.flag('strict'))
  given.end()
  tool.end()
  return made
}

const CHOICES: Readonly<Record<string, string>> = { auto: 'auto', required: 'any', none: 'none' }

/** The choice, and with it whether calls may be parallel: that has no place of its own there. */
export function toolChoiceToMessages(fields: Fields, hasTools: boolean): unknown {
  const given = fields.get('tool_choice')
  const single = fields.flag('parallel_tool_calls') === false && hasTools
  let choice: Record<string, unknown> | undefined
  if (typeof given === 'string') {
    if (!Object.hasOwn(CHOICES, given)) throw fields.unsupported('tool_choice')
    choice = { type: CHOICES[given] }
  } else if (given !== undefined) choice = namedTool(fields.needObject('tool_choice'))
  if (!single || choice?.type === 'none') return choice
  return { ...(choice ?? { type: 'auto' }), disable_parallel_tool_use: true }
}

function namedTool(choice: Fields): Record<string, unknown> {
  if (choice.needText('type') !== 'function') throw choice.unsupported('type')
  const named = choice.needObject('function')
  const made = { type: 'tool', name: named.needText('name') }
  named.end()
  choice.end()
  return made
}
