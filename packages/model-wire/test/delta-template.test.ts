import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ChatEvents } from '../src/stream/chat-events.ts'
import { DeltaTemplate } from '../src/stream/delta-template.ts'

const event = (delta: object, more: object = {}): string =>
  JSON.stringify({ id: 'c1', choices: [{ index: 0, delta, finish_reason: null }], ...more })

function learnt(data: string): DeltaTemplate {
  const template = new DeltaTemplate()
  template.learn(data, JSON.parse(data))
  return template
}

describe('an event like an earlier one', () => {
  test('is known by its text alone', () => {
    const template = learnt(event({ content: 'first' }))
    expect(template.textOf(event({ content: ' next, with ünïcode and {"braces"}'.replaceAll('"', '') }))).toBe(
      ' next, with ünïcode and {braces}',
    )
    expect(template.textOf(event({ content: '' }))).toBe('')
  })

  test.each([
    ['a quote in the text', event({ content: 'a"b' })],
    ['an escape in the text', event({ content: 'a\nb' })],
    ['a control character, which is no JSON', event({ content: 'a' }).replace('"a"', '"a\tb"')],
    ['another id', event({ content: 'a' }).replace('c1', 'c2')],
    ['a role', event({ role: 'assistant', content: 'a' })],
    ['a finish reason', event({ content: 'a' }).replace('null', '"stop"')],
    ['usage', event({ content: 'a' }, { usage: { prompt_tokens: 1 } })],
    ['a second member behind a text that closes itself', event({ content: 'x' }).replace('"x"', '"x","refusal":"no"')],
    ['half of it', event({ content: 'a' }).slice(0, 30)],
    ['nothing', ''],
  ])('is not: %s', (_, data) => {
    expect(learnt(event({ content: 'first' })).textOf(data)).toBeUndefined()
  })

  test.each([
    ['tool calls', event({ tool_calls: [{ index: 0 }] })],
    ['a text beside tool calls', event({ content: 'a', tool_calls: [{ index: 0 }] })],
    ['two choices', JSON.stringify({ choices: [{ delta: { content: 'a' } }, { delta: { content: 'b' } }] })],
    ['counts', event({ content: 'a' }, { usage: { prompt_tokens: 1 } })],
    ['an end', event({ content: 'a' }).replace('null', '"stop"')],
    ['content elsewhere', event({ content: 'a' }, { x: { content: 'a' } })],
    ['no content', event({})],
  ])('is not learnt from %s', (_, data) => {
    const template = learnt(data)
    expect(template.textOf(data)).toBeUndefined()
  })

  test('is no longer looked for in a stream whose events all differ', () => {
    const template = new DeltaTemplate()
    for (let index = 0; index < 20; index++) {
      const data = event({ content: 'a' }, { padding: index })
      expect(template.textOf(data)).toBeUndefined()
      template.learn(data, JSON.parse(data))
    }
    const last = event({ content: 'a' }, { padding: 19 })
    template.learn(last, JSON.parse(last))
    expect(template.textOf(last)).toBeUndefined()
  })
})

test('a stream read with templates tells what one read whole tells', () => {
  const deltas = fc.array(
    fc.oneof(
      { weight: 6, arbitrary: fc.record({ content: fc.string({ unit: 'binary', maxLength: 12 }) }) },
      fc.record({ role: fc.constant('assistant'), content: fc.string() }),
      fc.record({ content: fc.constant(null), tool_calls: fc.constant([{ index: 0, function: { arguments: '{' } }]) }),
      fc.record({ reasoning_content: fc.string() }),
    ),
    { maxLength: 30 },
  )
  fc.assert(
    fc.property(deltas, (list) => {
      const options = { plugin: 'p', request: { endpoint: 'chat/completions', model: 'm', body: {}, stream: true } } as const
      const reader = new ChatEvents(options)
      let bytes = 0
      for (const delta of list) {
        expect(reader.read(`data: ${event(delta)}\n\n`)).toBe('pass')
        // Each event alone is always parsed: nothing has been learnt before it.
        const alone = new ChatEvents(options)
        alone.read(`data: ${event(delta)}\n\n`)
        bytes += alone.outputBytes
        expect(reader.contentSeen).toBe(bytes > 0)
      }
      expect(reader.outputBytes).toBe(bytes)
    }),
  )
})
