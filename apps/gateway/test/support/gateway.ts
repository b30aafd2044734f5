import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import type { Plugin } from '@switchyard/contract'
import { validSettings } from '../../src/config/read.ts'
import type { SettingsInput } from '../../src/config/settings.ts'
import { type Gateway, startGateway } from '../../src/gateway.ts'
import { createLog } from '../../src/log.ts'

export interface TestGateway {
  readonly gateway: Gateway
  readonly url: string
  /** Lines logged so far, parsed. */
  logged(): readonly Record<string, unknown>[]
  close(): Promise<void>
}

/** A gateway on a free port over the given plugins. */
export async function testGateway(plugins: readonly Plugin[], input: SettingsInput = {}): Promise<TestGateway> {
  const lines: string[] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk))
      done()
    },
  })
  const settings = await validSettings({ ...input, server: { port: 0, ...input.server } }, 'test')
  const gateway = await startGateway({ settings, assembly: { plugins } }, { log: createLog('debug', stream) })
  return {
    gateway,
    url: gateway.url,
    logged: () =>
      lines
        .join('')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    close: () => gateway.close(),
  }
}

/** A folder of the test's own, removed by `remove`. */
export async function temporaryFolder(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'switchyard-test-'))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}
