import { type Fields, put } from '../dialect/fields.ts'

/** A function of the client's own. Tools that OpenAI runs have no counterpart. */
export function toolToChat(tool: Fields): Record<string, unknown> {
  if (tool.needText('type') !== 'function') throw tool.unsupported('type', 'only functions of your own can be called')
  const made: Record<string, unknown> = { name: tool.needText('name') }
  put(made, 'description', tool.text('description'))
  put(made, 'parameters', tool.get('parameters'))
  put(made, 'strict', tool.flag('strict'))
  tool.only('defer_loading', false)
  tool.only('async', false)
  const callers = tool.list('allowed_callers') ?? []
  if (callers.some((caller) => caller !== 'direct')) throw tool.unsupported('allowed_callers')
  tool.end()
  return { type: 'function', function: made }
}

const CHOICES: ReadonlySet<unknown> = new Set(['none', 'auto', 'required'])

export function toolChoiceToChat(fields: Fields): unknown {
  const given = fields.get('tool_choice')
  if (given === undefined || CHOICES.has(given)) return given
  const choice = fields.needObject('tool_choice')
  const type = choice.needText('type')
  let made: unknown
  if (type === 'function') made = namedFunction(choice)
  else if (type === 'allowed_tools') {
    const tools = choice.each('tools', (tool) => {
      if (tool.needText('type') !== 'function') throw tool.unsupported('type')
      return namedFunction(tool)
    })
    made = { type, allowed_tools: { mode: choice.needText('mode'), tools } }
  } else throw choice.unsupported('type')
  choice.end()
  return made
}

function namedFunction(fields: Fields): Record<string, unknown> {
  const made = { type: 'function', function: { name: fields.needText('name') } }
  fields.end()
  return made
}
