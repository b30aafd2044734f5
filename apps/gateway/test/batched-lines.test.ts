import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { batchedLines } from '../src/batched-lines.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function sink(): { readonly written: string[]; write(text: string): void; flushSync(): void } {
  const written: string[] = []
  return { written, write: (text) => void written.push(text), flushSync: () => void written.push('<flushed>') }
}

test('lines go out together, at the latest after the delay of the first', () => {
  const to = sink()
  const lines = batchedLines(to, 100)
  lines.write('a\n')
  vi.advanceTimersByTime(60)
  lines.write('b\n')
  vi.advanceTimersByTime(39)
  expect(to.written).toEqual([])
  vi.advanceTimersByTime(1)
  expect(to.written).toEqual(['a\nb\n'])
  vi.advanceTimersByTime(1_000)
  expect(to.written).toHaveLength(1)
  expect(vi.getTimerCount()).toBe(0)
})

test('a full batch goes out at once, in order', () => {
  const to = sink()
  const lines = batchedLines(to, 100)
  const line = `${'x'.repeat(999)}\n`
  for (let index = 0; index < 40; index++) lines.write(line)
  expect(to.written).toHaveLength(2)
  lines.flush()
  expect(to.written.join('').replace('<flushed>', '')).toBe(line.repeat(40))
  expect(vi.getTimerCount()).toBe(0)
})

test('a flush writes what was gathered and what the sink holds; with nothing gathered only the latter', () => {
  const to = sink()
  const lines = batchedLines(to, 100)
  lines.write('a\n')
  lines.flush()
  lines.flush()
  expect(to.written).toEqual(['a\n', '<flushed>', '<flushed>'])
})

test('a sink without a flush of its own will do', () => {
  const written: string[] = []
  const lines = batchedLines({ write: (text) => written.push(text) }, 100)
  lines.write('a\n')
  lines.flush()
  expect(written).toEqual(['a\n'])
})
