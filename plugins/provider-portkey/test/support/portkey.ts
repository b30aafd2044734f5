import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** Binds every listen to loopback: the program has no host option. */
const PRELOAD = `data:text/javascript,${encodeURIComponent(`
import net from 'node:net'
const listen = net.Server.prototype.listen
net.Server.prototype.listen = function (first, ...rest) {
  if (typeof first === 'object' && first?.port !== undefined) return listen.call(this, { ...first, host: '127.0.0.1' }, ...rest)
  return listen.call(this, Number(first), '127.0.0.1', ...rest.filter((value) => typeof value !== 'string'))
}
`)}`

/** The real Portkey gateway on a free loopback port. */
export async function realPortkey(
  flags: readonly string[] = ['--headless'],
): Promise<{ readonly origin: string; stop(): void }> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  const program = createRequire(import.meta.url).resolve('@portkey-ai/gateway/build/start-server.js')
  const child = spawn(process.execPath, ['--import', PRELOAD, program, `--port=${port}`, ...flags], {
    stdio: 'ignore',
    env: {},
  })
  const origin = `http://127.0.0.1:${port}`
  for (let tries = 0; tries < 200; tries++) {
    if (
      await fetch(origin)
        .then(({ ok }) => ok)
        .catch(() => false)
    )
      return { origin, stop: () => child.kill('SIGKILL') }
    await delay(50)
  }
  child.kill('SIGKILL')
  throw new Error('portkey did not start')
}
