import type { ModelProvider } from '@switchyard/contract'
import type { Subject } from '../../src/conformance/suite.ts'
import { type ModelFixture, openModelFixture } from '../../src/suites/model/model-fixture.ts'
import { referenceProvider } from './reference-provider.ts'

/** The reference provider against a fresh fake upstream, by default with everything declared. */
export function referenceSubject(
  capabilities: Partial<ModelProvider['capabilities']> = {},
): Subject<ModelProvider, ModelFixture> {
  return {
    name: 'reference provider',
    async open() {
      const { fixture, close } = await openModelFixture()
      return {
        instance: referenceProvider({ url: fixture.upstream.url, apiKey: fixture.apiKey, capabilities }),
        fixture,
        now: () => Date.now(),
        advance: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
        close,
      }
    },
  }
}
