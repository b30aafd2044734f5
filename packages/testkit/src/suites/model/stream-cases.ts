import assert from 'node:assert/strict'
import { DEFAULT_TOKENS } from '../../upstream/answer.ts'
import { AT_ONCE_MS, ask, endingOf, onStream, within } from './asking.ts'
import type { ModelCase, OpenedModel } from './model-fixture.ts'
import { chunksOf, dataOf, isUsageChunk, readAll, readWell, textOf } from './reading.ts'

const ANSWER = DEFAULT_TOKENS.join('')
const ASKED = { stream_options: { include_usage: true } }

/** What a stream is that goes well. */
export const streamCases: readonly ModelCase[] = [
  onStream({
    id: 'model.invoke.streams',
    promise: 'A stream hands out all content in order, ends with its terminator, and `ended` settles as complete.',
    async check(opened) {
      const reply = await ask(opened, { stream: true })
      assert.match(reply.headers['content-type'] ?? '', /^text\/event-stream/)
      const reading = await readWell(reply)
      assert.equal(textOf(reading), ANSWER)
      assert.equal(dataOf(reading).at(-1), '[DONE]', 'the last event must be [DONE]')
      const ending = await endingOf(reply)
      assert.equal(ending.outcome, 'complete')
      assert.equal(ending.error, undefined)
      assert.equal(ending.finishReason, 'stop')
    },
  }),
  onStream({
    id: 'model.invoke.streams-whole-events',
    promise: 'Each chunk holds whole events, wherever the network splits them.',
    async check(opened) {
      for (const bytes of [1, 7, 61, 512]) await answers(opened, `split:${bytes}`)
    },
  }),
  onStream({
    id: 'model.invoke.streams-any-line-end',
    promise: 'Lines may end with LF, CRLF or CR, also split in between.',
    async check(opened) {
      for (const fault of ['lines:crlf', 'lines:cr', 'lines:crlf+split:1', 'lines:cr+split:5']) {
        await answers(opened, fault)
      }
    },
  }),
  onStream({
    id: 'model.invoke.streams-past-comments',
    promise: 'A byte order mark, comments and pings neither harm nor count as content.',
    async check(opened) {
      for (const fault of ['bom', 'pings:20', 'pings:3+split:1', 'bom+pings:2+lines:crlf']) await answers(opened, fault)
    },
  }),
  onStream({
    id: 'model.invoke.streams-as-it-comes',
    promise: 'Content is handed out when it comes, not when the stream ends.',
    async check(opened) {
      opened.fixture.upstream.always('stall:mid')
      const leave = new AbortController()
      const reply = await within(2000, 'a stream whose first content came', ask(opened, { stream: true, signal: leave.signal }))
      assert.ok(!(reply.body instanceof Uint8Array), 'a request with stream: true must be answered with a stream')
      const iterator = reply.body[Symbol.asyncIterator]()
      let text = ''
      const wanted = DEFAULT_TOKENS.slice(0, 3).join('')
      while (!text.startsWith(wanted)) {
        const next = await within(
          AT_ONCE_MS,
          `content after ${JSON.stringify(text)}, which the upstream has sent,`,
          iterator.next(),
        )
        assert.ok(!next.done, 'the stream ended while the upstream was silent')
        text += textOf({ chunks: [next.value], error: undefined })
      }
      leave.abort()
      await iterator.return?.()
    },
  }),
  onStream({
    id: 'model.invoke.streams-usage-asked-for',
    promise: 'A client who asks for usage gets the usage chunk once, and `ended` reports the same.',
    async check(opened) {
      const reply = await ask(opened, { stream: true, body: ASKED })
      const chunks = chunksOf(dataOf(await readWell(reply))).filter(isUsageChunk)
      assert.deepEqual(
        chunks.map(({ usage }) => usage?.prompt_tokens),
        [7],
      )
      const { usage, usageSource } = await endingOf(reply)
      assert.equal(usageSource, 'reported')
      assert.equal(usage.inputTokens, 7)
      assert.equal(usage.outputTokens, DEFAULT_TOKENS.length)
    },
  }),
  onStream({
    id: 'model.invoke.streams-no-usage-unasked',
    promise: 'A client who did not ask sees no usage chunk; `ended` tells the true usage, or does not call it reported.',
    async check(opened) {
      const reply = await ask(opened, { stream: true })
      const chunks = chunksOf(dataOf(await readWell(reply)))
      assert.equal(chunks.filter(isUsageChunk).length, 0, 'a usage chunk must be hidden from a client who did not ask')
      const { usage, usageSource } = await endingOf(reply)
      if (usageSource === 'reported') assert.equal(usage.inputTokens, 7)
    },
  }),
  onStream({
    id: 'model.invoke.streams-no-invented-usage',
    promise: 'Usage that a stream does not report, or reports as negative, is not called reported.',
    async check(opened) {
      for (const flaw of ['absent', 'negative']) {
        opened.fixture.upstream.always(`usage:${flaw}`)
        const reply = await ask(opened, { stream: true, body: ASKED })
        await readWell(reply)
        const { usage, usageSource } = await endingOf(reply)
        assert.notEqual(usageSource, 'reported', `usage that is ${flaw} was called reported`)
        for (const [name, tokens] of Object.entries(usage)) {
          assert.ok(Number.isSafeInteger(tokens) && tokens >= 0, `${name} is ${tokens} where usage is ${flaw}`)
        }
      }
    },
  }),
  onStream({
    id: 'model.invoke.streams-tool-calls',
    promise: 'The arguments of a tool call arrive whole, and count as content.',
    async check(opened) {
      opened.fixture.upstream.always('tool-call')
      const tools = [{ type: 'function', function: { name: 'weather', parameters: { type: 'object', properties: {} } } }]
      const reply = await ask(opened, { stream: true, body: { tools } })
      const parts = chunksOf(dataOf(await readWell(reply))).flatMap(({ choices }) => choices?.[0]?.delta?.tool_calls ?? [])
      const args = parts.map((part) => part.function?.arguments ?? '').join('')
      assert.deepEqual(JSON.parse(args), { city: 'Zürich', days: 3 })
      assert.equal((await endingOf(reply)).finishReason, 'tool_calls')
    },
  }),
  onStream({
    id: 'model.invoke.streams-large-events-or-fails',
    promise: 'An event of several MiB is handed out whole or breaks the stream with an error; it is never left out.',
    async check(opened) {
      opened.fixture.upstream.always('huge:5242880')
      const reply = await ask(opened, { stream: true })
      const reading = await readAll(reply)
      if (reading.error === undefined) assert.equal(textOf(reading).length, ANSWER.length + 5_242_880)
      else assert.notEqual((await endingOf(reply)).outcome, 'complete')
    },
  }),
]

async function answers(opened: OpenedModel, fault: string): Promise<void> {
  opened.fixture.upstream.always(fault)
  const reply = await within(4000, `the reply to a stream with ${fault}`, ask(opened, { stream: true }))
  const reading = await readWell(reply)
  assert.equal(textOf(reading), ANSWER, `the content of a stream with ${fault} differs`)
  assert.equal(dataOf(reading).at(-1), '[DONE]', `a stream with ${fault} must end with [DONE]`)
  assert.equal((await endingOf(reply)).outcome, 'complete')
}
