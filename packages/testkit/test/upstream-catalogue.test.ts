import { SwitchyardError } from '@switchyard/contract'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FAULTS, type FakeUpstream, type HonestEnding, type NamedFault, parseFault, startFakeUpstream } from '../src/index.ts'
import { referenceProvider } from './support/reference-provider.ts'

const TOOLS = [{ type: 'function', function: { name: 'weather', parameters: {} } }]

describe('a right provider ends every fault of the catalogue as it honestly may', () => {
  let upstream: FakeUpstream
  beforeAll(async () => {
    upstream = await startFakeUpstream()
  })
  afterAll(() => upstream.close())

  for (const stream of [false, true]) {
    const concerned = FAULTS.filter((fault) => (stream ? fault.stream : fault.plain).length > 0)
    test.each(concerned)(`$name, ${stream ? 'streamed' : 'whole'}: $description`, async (named) => {
      expect(stream ? named.stream : named.plain).toContain(await ending(named, stream))
    })
  }

  async function ending({ name, needsDeadline }: NamedFault, stream: boolean): Promise<HonestEnding> {
    const provider = referenceProvider({ url: upstream.url, apiKey: 'sk-1' })
    const deadline = new AbortController()
    const timer = setTimeout(
      () => deadline.abort(new SwitchyardError('TIMEOUT', 'the deadline passed')),
      needsDeadline ? 300 : 5000,
    )
    const model = `fake/gpt-fake!${name}`
    const body = { model, messages: [], tools: TOOLS, ...(stream ? { stream } : {}) }
    let content = false
    try {
      const reply = await provider.invoke({ endpoint: 'chat/completions', model, body, stream }, { signal: deadline.signal })
      if (!(reply.body instanceof Uint8Array)) {
        for await (const _ of reply.body) content = true
      }
      expect((await reply.ended).outcome).toBe('complete')
      return 'ok'
    } catch (error) {
      expect(SwitchyardError.is(error), String(error)).toBe(true)
      expect(SwitchyardError.is(error, 'TIMEOUT')).toBe(needsDeadline === true || name === 'status-408')
      if (content) return 'error-event-mid-stream'
      const answered = parseFault(name).some(({ kind }) => kind === 'status' || kind === 'redirect')
      return answered ? 'error-status' : 'error-before-content'
    } finally {
      clearTimeout(timer)
    }
  }
})
