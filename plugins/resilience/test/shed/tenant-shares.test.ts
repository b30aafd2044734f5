import { expect, test } from 'vitest'
import { TenantShares } from '../../src/shed/tenant-shares.ts'

const even = (): number => 1
const ask = (shares: TenantShares, counts: Readonly<Record<string, number>>, now: number): void => {
  for (const [tenant, count] of Object.entries(counts)) for (let i = 0; i < count; i++) shares.count(tenant, now)
}

test('alone, or unheard of, nobody is above their share', () => {
  const shares = new TenantShares()
  ask(shares, { a: 100 }, 0)
  expect(shares.isAbove('a', even, 0)).toBe(false)
  expect(shares.isAbove('b', even, 0)).toBe(false)
})

test('a fifth more than an even share is chance, above it is not', () => {
  const shares = new TenantShares()
  ask(shares, { a: 60, b: 40 }, 0)
  expect(shares.isAbove('a', even, 0)).toBe(false)
  shares.count('a', 0)
  expect(shares.isAbove('a', even, 0)).toBe(true)
  expect(shares.isAbove('a', (tenant) => (tenant === 'a' ? 2 : 1), 0)).toBe(false)
})

test('what was asked two seconds ago is forgotten, also where a clock goes back', () => {
  const shares = new TenantShares()
  ask(shares, { a: 90, b: 10 }, 0)
  expect(shares.isAbove('a', even, 1_500)).toBe(true)
  expect(shares.isAbove('a', even, 3_000)).toBe(false)
  ask(shares, { a: 90, b: 10 }, 3_000)
  expect(shares.isAbove('a', even, 10)).toBe(false)
})
