import { expect, test, vi } from 'vitest'
import { z } from 'zod'
import { CONTRACT, definePlugin, STAGES } from '../src/index.ts'

const setup = vi.fn(() => ({ ports: {} }))
const fax = definePlugin({
  name: '@acme/fax',
  contract: CONTRACT,
  options: z.strictObject({ size: z.number().default(3) }),
  setup,
})

test('a factory only notes what it is given: nothing runs, nothing is validated', () => {
  const input = { size: 'big' } as never
  const placed = fax(input, { as: 'upper', bind: { line: 'modem' } })
  expect(placed.input).toBe(input)
  expect(placed.placement).toEqual({ as: 'upper', bind: { line: 'modem' } })
  expect(placed.definition.name).toBe('@acme/fax')
  expect(setup).not.toHaveBeenCalled()
})

test('options and placement may be left out', () => {
  expect(fax()).toMatchObject({ input: {}, placement: {} })
})

test('one definition stands behind every instance', () => {
  expect(fax({}, { as: 'a' }).definition).toBe(fax({}, { as: 'b' }).definition)
})

test('stages are in the order of the pipeline and cannot be changed', () => {
  expect(STAGES).toEqual(['observe', 'admit', 'cache', 'route', 'resilience', 'transport'])
  expect(Object.isFrozen(STAGES)).toBe(true)
})
