import type { AnswerPair } from './prompt.ts'

/** A pair that any judge has to be right about. */
export interface KnownPair {
  readonly pair: AnswerPair
  readonly truth: boolean
}

/** In such an order that neither who always says one word nor who changes about passes. */
export const KNOWN_PAIRS: readonly KnownPair[] = [
  {
    pair: {
      asked: 'How do I turn on dark mode?',
      fresh: 'Open Settings, choose Display, and switch Dark mode on.',
      storedQuestion: 'How do I export my invoices?',
      stored: 'Open Billing, choose Invoices, and press Export.',
    },
    truth: false,
  },
  {
    pair: {
      asked: 'I forgot my password. How can I set a new one?',
      fresh: 'Open Settings, choose Security, and press Reset password.',
      storedQuestion: 'How do I reset my password?',
      stored: 'Go to Settings, then Security, and press "Reset password".',
    },
    truth: true,
  },
  {
    pair: {
      asked: 'When does the shop open on Mondays?',
      fresh: 'The shop opens at 9 a.m. on Mondays.',
      storedQuestion: 'On Monday, from when is the shop open?',
      stored: 'On Mondays it is open from 9 a.m.',
    },
    truth: true,
  },
  {
    pair: {
      asked: 'What is the capital of Australia?',
      fresh: 'The capital of Australia is Canberra.',
      storedQuestion: 'What is the capital of Austria?',
      stored: 'The capital of Austria is Vienna.',
    },
    truth: false,
  },
  {
    pair: {
      asked: 'What does shipping to Canada cost?',
      fresh: 'Shipping to Canada costs 12 dollars.',
      storedQuestion: 'How much is shipping to Canada?',
      stored: 'Shipping to Canada costs 21 dollars.',
    },
    truth: false,
  },
]
