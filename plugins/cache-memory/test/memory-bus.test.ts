import { recordingLogger } from '@switchyard/testkit'
import { describe, expect, test } from 'vitest'
import { memoryBus } from '../src/memory-bus.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

function made(maxSubscriptions = 10) {
  const log = recordingLogger()
  return { bus: memoryBus({ maxSubscriptions, log }), log }
}

describe('memoryBus', () => {
  test('takes no subscription beyond maxSubscriptions until one ends', async () => {
    const { bus } = made(2)
    const end = await bus.subscribe('a', () => {})
    await bus.subscribe('b', () => {})
    await expect(bus.subscribe('a', () => {})).rejects.toMatchObject({
      code: 'OVERLOADED',
      retryable: true,
      details: { option: 'maxSubscriptions', limit: 2 },
    })
    await end()
    await end()
    await bus.subscribe('a', () => {})
    expect(bus.usage()).toEqual({ subscriptions: 2, topics: 2 })
  })

  test('logs the first failure of a listener, thrown or rejected, and goes on', async () => {
    const { bus, log } = made()
    const heard: string[] = []
    await bus.subscribe('t', () => {
      throw new Error('thrown')
    })
    await bus.subscribe('t', async () => {
      throw new Error('rejected')
    })
    await bus.subscribe('t', (message) => heard.push(new TextDecoder().decode(message)))
    for (const text of ['1', '2']) await bus.publish('t', bytes(text))
    await new Promise(setImmediate)
    expect(heard).toEqual(['1', '2'])
    expect(log.records.map(({ level, fields }) => [level, (fields as { topic: string }).topic])).toEqual([
      ['error', 't'],
      ['error', 't'],
    ])
  })

  test('holds nothing of subscriptions that ended, and clear ends the rest', async () => {
    const { bus } = made(10_000)
    const heard: string[] = []
    for (let round = 0; round < 1000; round += 1) {
      const end = await bus.subscribe(`t${round}`, () => {})
      await end()
    }
    expect(bus.usage()).toEqual({ subscriptions: 0, topics: 0 })
    await bus.subscribe('a', () => heard.push('a'))
    await bus.subscribe('b', () => heard.push('b'))
    const publishing = bus.publish('a', bytes('m'))
    bus.clear()
    await publishing
    await bus.publish('b', bytes('m'))
    expect(heard).toEqual([])
    expect(bus.usage()).toEqual({ subscriptions: 0, topics: 0 })
  })
})
