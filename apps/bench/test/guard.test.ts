import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const GUARD = fileURLToPath(new URL('../src/peers/guard-process.ts', import.meta.url))

test('the guard kills what was left to it when its input ends, and nothing else', async () => {
  const idle = (): ReturnType<typeof spawn> =>
    spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
  const left = idle()
  const ended = idle()
  const guard = spawn(process.execPath, [GUARD], { stdio: ['pipe', 'ignore', 'inherit'] })
  try {
    const died = once(left, 'exit')
    const over = once(guard, 'exit')
    guard.stdin.end(`+${left.pid}\n+${ended.pid}\n-${ended.pid}\n`)
    expect(await died).toEqual([null, 'SIGKILL'])
    expect(await over).toEqual([0, null])
    expect(ended.exitCode ?? ended.signalCode).toBe(null)
  } finally {
    for (const child of [left, ended, guard]) child.kill('SIGKILL')
  }
})
