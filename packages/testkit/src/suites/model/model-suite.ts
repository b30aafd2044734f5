import { type ModelProvider, model } from '@switchyard/contract'
import type { Suite } from '../../conformance/suite.ts'
import { brokenStreamCases } from './broken-stream-cases.ts'
import { callMutants } from './call-mutants.ts'
import { declaredCases } from './declared-cases.ts'
import { endpointCases } from './endpoint-cases.ts'
import { endpointMutants } from './endpoint-mutants.ts'
import { failureCases } from './failure-cases.ts'
import { leavingCases } from './leaving-cases.ts'
import type { ModelFixture } from './model-fixture.ts'
import { replyCases } from './reply-cases.ts'
import { requestCases } from './request-cases.ts'
import { streamCases } from './stream-cases.ts'
import { streamMutants } from './stream-mutants.ts'

/** What every model provider promises, examined against an upstream that misbehaves. */
export const modelSuite: Suite<ModelProvider, ModelFixture> = {
  port: model,
  cases: [
    ...requestCases,
    ...replyCases,
    ...failureCases,
    ...streamCases,
    ...brokenStreamCases,
    ...leavingCases,
    ...declaredCases,
    ...endpointCases,
  ],
  mutants: [...callMutants, ...streamMutants, ...endpointMutants],
}
