import type { Plugin } from '@switchyard/contract'
import { validSettings } from '../../src/config/read.ts'
import type { SettingsInput } from '../../src/config/settings.ts'
import { type Gateway, startGateway } from '../../src/gateway.ts'
import { recordedLog } from './recorded-log.ts'

export interface TestGateway {
  readonly gateway: Gateway
  readonly url: string
  /** Lines logged so far, parsed. */
  logged(): readonly Record<string, unknown>[]
  close(): Promise<void>
}

/** A gateway on a free port over the given plugins. */
export async function testGateway(plugins: readonly Plugin[], input: SettingsInput = {}): Promise<TestGateway> {
  const { log, lines } = recordedLog()
  const settings = await validSettings({ ...input, server: { port: 0, ...input.server } }, 'test')
  const gateway = await startGateway({ settings, assembly: { plugins } }, { log })
  return { gateway, url: gateway.url, logged: lines, close: () => gateway.close() }
}
