import type { Suite } from '../conformance/suite.ts'
import { accessSuite } from './access/access-suite.ts'
import { keysSuite } from './access/keys-suite.ts'
import { busSuite } from './bus/bus-suite.ts'
import { cacheSuite } from './cache/cache-suite.ts'
import { countersSuite } from './counters/counters-suite.ts'
import { embedderSuite } from './embedder/embedder-suite.ts'
import { flightsSuite } from './flights/flights-suite.ts'
import { healthSuite } from './health/health-suite.ts'
import { modelSuite } from './model/model-suite.ts'
import { routerSuite } from './router/router-suite.ts'
import { semanticCacheSuite } from './semantic-cache/semantic-cache-suite.ts'
import { sqlSuite } from './sql/sql-suite.ts'
import { strategySuite } from './strategy/strategy-suite.ts'
import { vectorsSuite } from './vectors/vectors-suite.ts'

// biome-ignore lint/suspicious/noExplicitAny: a list of suites holds suites of unlike ports
export type AnySuite = Suite<any, any>

/** Every suite of the testkit, by the id of its port: what the CLI runs and what documentation is made of. */
export const suites: readonly AnySuite[] = [
  accessSuite,
  busSuite,
  cacheSuite,
  countersSuite,
  embedderSuite,
  flightsSuite,
  healthSuite,
  keysSuite,
  modelSuite,
  routerSuite,
  semanticCacheSuite,
  sqlSuite,
  strategySuite,
  vectorsSuite,
]
