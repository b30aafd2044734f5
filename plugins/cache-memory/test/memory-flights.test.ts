import type { Lead, Listening } from '@switchyard/contract'
import { expect, test } from 'vitest'
import { memoryFlights } from '../src/memory-flights.ts'

const make = () => memoryFlights({ maxFlights: 2, maxFlightBytes: 10 })

test('one flight too many is OVERLOADED, until another has ended; listeners are not counted', async () => {
  const flights = make()
  const first = (await flights.join('1')) as Lead
  await flights.join('2')
  await expect(flights.join('3')).rejects.toMatchObject({ code: 'OVERLOADED', details: { option: 'maxFlights' } })
  expect((await flights.join('2')).role).toBe('listener')
  await first.complete()
  expect(flights.usage()).toEqual({ flights: 1 })
  expect((await flights.join('3')).role).toBe('leader')
})

test('closing takes the leads away: the signal aborts and listeners reject', async () => {
  const flights = make()
  const lead = (await flights.join('k')) as Lead
  const { chunks } = (await flights.join('k')) as Listening
  const reading = chunks[Symbol.asyncIterator]().next()
  flights.clear()
  await expect(reading).rejects.toMatchObject({ code: 'CONFLICT', retryable: true })
  expect(lead.signal.reason).toMatchObject({ code: 'CONFLICT' })
  await expect(lead.append(new Uint8Array(1))).rejects.toMatchObject({ code: 'CONFLICT' })
  expect(flights.usage()).toEqual({ flights: 0 })
})

test('an append that does not fit says by which option', async () => {
  const lead = (await make().join('k')) as Lead
  await lead.append(new Uint8Array(10))
  await expect(lead.append(new Uint8Array(1))).rejects.toMatchObject({
    code: 'TOO_LARGE',
    details: { option: 'maxFlightBytes' },
  })
  expect(lead.signal.aborted).toBe(false)
})
