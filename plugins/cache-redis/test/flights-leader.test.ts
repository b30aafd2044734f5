import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Lead, Listening } from '@switchyard/contract'
import { systemClock } from '@switchyard/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { bytes, hear, node } from './support/flights.ts'
import { failureOf, freshPrefix, needsServer, PATIENCE, serverUrl } from './support/server.ts'

needsServer()

const PROGRAM = new URL('./support/flight-leader.ts', import.meta.url).pathname
const clock = systemClock()

/** Numbers from 0 on, each once. */
const counted = (text: string): boolean => text === Array.from(text.split(',').slice(0, -1), (_, at) => `${at},`).join('')

async function leader(keyPrefix: string): Promise<{ readonly child: ChildProcess; readonly said: string[] }> {
  const child = spawn(
    process.execPath,
    ['--conditions=@switchyard/source', '--no-warnings', PROGRAM, serverUrl ?? '', keyPrefix, 'k'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  const said: string[] = []
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => said.push(line))
  await expect.poll(() => said, PATIENCE).toEqual(['leader'])
  return { child, said }
}

test('a leader that is killed: listeners are told within its lease, and the next leads', { timeout: 30_000 }, async () => {
  const keyPrefix = freshPrefix()
  const { child } = await leader(keyPrefix)
  const here = await node({ url: serverUrl, keyPrefix })
  const ear = hear((await here.join('k')) as Listening)
  await expect.poll(() => ear.text, PATIENCE).toContain('3,')
  child.kill('SIGKILL')
  const killedAt = clock.monotonic()
  await expect.poll(() => ear.end, PATIENCE).toMatchObject({ code: 'CONFLICT', retryable: true })
  // Its lease and one look; far more than that would be another reason.
  expect(clock.monotonic() - killedAt).toBeLessThan(6_000)
  expect(counted(ear.text)).toBe(true)
  const next = (await here.join('k')) as Lead
  expect(next.role).toBe('leader')
  await next.complete()
})

test('a leader that stood still: another leads meanwhile, and what it appends afterwards reaches nobody', {
  timeout: 30_000,
}, async () => {
  const keyPrefix = freshPrefix()
  const { child, said } = await leader(keyPrefix)
  const here = await node({ url: serverUrl, keyPrefix })
  child.kill('SIGSTOP')
  let next: Lead | Listening = await here.join('k')
  while (next.role === 'listener') {
    expect(await failureOf(drained(next))).toMatchObject({ code: 'CONFLICT' })
    next = await here.join('k')
  }
  await next.append(bytes('new'))
  child.kill('SIGCONT')
  await expect.poll(() => said, PATIENCE).toContain('append CONFLICT')
  expect(said).toContain('lost CONFLICT')
  const ear = hear((await here.join('k')) as Listening)
  await next.complete()
  await expect.poll(() => ear.end, PATIENCE).toBe('complete')
  expect([ear.text, next.signal.aborted]).toEqual(['new', false])
})

async function drained({ chunks }: Listening): Promise<void> {
  for await (const _ of chunks);
}
