import { describe, expect, test } from 'vitest'
import { leastQuota } from '../src/quota.ts'

const NOW = Date.UTC(2026, 0, 1)
const CAP_MS = 300_000

const openAi = (left: Record<string, string>) =>
  Object.fromEntries(Object.entries(left).map(([name, value]) => [`x-ratelimit-${name}`, value]))

describe('what headers say of a quota', () => {
  test.each<[string, Record<string, string>, object | undefined]>([
    ['nothing', {}, undefined],
    ['nothing that can be read', openAi({ 'remaining-requests': 'many', 'limit-requests': '10' }), undefined],
    ['nothing below zero', openAi({ 'remaining-requests': '-1', 'limit-requests': '10' }), undefined],
    ['an empty text', openAi({ 'remaining-requests': '', 'limit-requests': '10' }), undefined],
    [
      'something is left of what is not stated',
      openAi({ 'remaining-requests': '3' }),
      { left: 1, of: 'requests', resetMs: undefined },
    ],
    [
      'more is left than the limit',
      openAi({ 'remaining-requests': '30', 'limit-requests': '10' }),
      { left: 1, of: 'requests', resetMs: undefined },
    ],
    [
      'the lesser counts',
      openAi({
        'remaining-requests': '90',
        'limit-requests': '100',
        'reset-requests': '6m0s',
        'remaining-tokens': '50',
        'limit-tokens': '1000',
        'reset-tokens': '17ms',
      }),
      { left: 0.05, of: 'tokens', resetMs: 17 },
    ],
    [
      'a reset as a duration, at most the cap',
      openAi({ 'remaining-tokens': '0', 'reset-tokens': '6m0s' }),
      { left: 0, of: 'tokens', resetMs: CAP_MS },
    ],
    [
      'a reset as seconds',
      openAi({ 'remaining-requests': '0', 'reset-requests': '12.5' }),
      { left: 0, of: 'requests', resetMs: 12_500 },
    ],
    [
      'a reset that cannot be read',
      openAi({ 'remaining-requests': '0', 'reset-requests': 'soon' }),
      { left: 0, of: 'requests', resetMs: undefined },
    ],
    [
      "Anthropic's, with an instant against the reply's own date",
      {
        date: 'Wed, 31 Dec 2025 23:00:00 GMT',
        'anthropic-ratelimit-requests-remaining': '900',
        'anthropic-ratelimit-requests-limit': '1000',
        'anthropic-ratelimit-output-tokens-remaining': '0',
        'anthropic-ratelimit-output-tokens-limit': '8000',
        'anthropic-ratelimit-output-tokens-reset': '2025-12-31T23:00:30Z',
      },
      { left: 0, of: 'output-tokens', resetMs: 30_000 },
    ],
    [
      'plain ones',
      { 'x-ratelimit-remaining': '1', 'x-ratelimit-limit': '4', 'x-ratelimit-reset': '9' },
      { left: 0.25, of: 'requests', resetMs: 9_000 },
    ],
  ])('%s', (_, headers, expected) => {
    expect(leastQuota(headers, NOW, CAP_MS)).toEqual(expected)
  })
})
