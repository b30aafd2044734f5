import { Command, InvalidArgumentError, Option } from 'commander'
import { budgetBench } from './budget/bench.ts'
import { SCHEMES } from './budget/schemes.ts'
import { cacheBench, ENCODERS } from './cache/bench.ts'
import { costBench } from './cost/bench.ts'
import { failoverBench } from './failover/bench.ts'
import { TOPOLOGIES } from './failover/topologies.ts'
import { FAULT_PARTS, faultsBench } from './faults/bench.ts'
import { CHAOS_FAULTS } from './faults/chaos/faults.ts'
import { httpBench } from './http/bench.ts'
import { killBench } from './kill/bench.ts'
import { simulateBench } from './simulate/bench.ts'
import { soakBench } from './soak/bench.ts'
import { stampedeBench } from './stampede/bench.ts'
import { SHARINGS } from './stampede/nodes.ts'
import { tokensBench } from './tokens/bench.ts'
import { vectorsBench } from './vectors/bench.ts'

const DEFAULT_SIZES: readonly number[] = [10_000, 100_000]

const program = new Command('bench').description(
  'Experiments against real peers. Each prints a table for people; --json FILE writes rows for programs.',
)

program
  .command('http')
  .description(
    'throughput, latency, first-token time, CPU and memory: direct, floor, Switchyard (openai, portkey), Portkey alone',
  )
  .option('--seconds <n>', 'length of a measurement', positive, 5)
  .option('--rounds <n>', 'interleaved rounds; the table has medians', positive, 5)
  .option('--connections <n>', 'connections of the load generator', positive, 32)
  .option('--json <file>', 'write { rows } there')
  .action(async (options) => void (await httpBench(options)))

program
  .command('faults')
  .description(
    'faults: every fault of the fake upstream x {plain, stream} x {openai, portkey}; chaos: faults under load, three targets behind one name; cancellation: clients that leave at each phase, and what is left of them',
  )
  .addOption(new Option('--only <part>', 'run this part alone').choices(FAULT_PARTS))
  .option('--aborts <n>', 'faults: client disconnects to time', positive, 100)
  .option('--rate <n>', 'chaos: requests a second', positive, 500)
  .option('--seconds <n>', 'chaos: length of the run of each fault', positive, 60)
  .addOption(new Option('--fault <names...>', 'chaos: these faults alone').choices(CHAOS_FAULTS.map(({ name }) => name)))
  .option('--leaves <n>', 'cancellation: clients that leave, over all phases', positive, 10_000)
  .option('--json <file>', 'write { rows } there')
  .action(async (options) => await faultsBench(options))

program
  .command('tokens')
  .description('token estimates: error against o200k by kind of text, speed, the longest slice of hostile texts')
  .option('--rounds <n>', 'repetitions of each measurement', positive, 5)
  .option('--json <file>', 'write { rows } there')
  .action(async (options) => void (await tokensBench(options)))

program
  .command('cost')
  .description('what the learned router saves at a promised quality, beside strategies that learn nothing; its decision time')
  .option(
    '--data <dir>',
    'files of outcomes with their datasets.json (default: shared/data/cost beside the project, where it exists)',
  )
  .option('--halves <n>', 'random halves beside the stated one', whole, 8)
  .option('--margin <n>', 'standard errors that a policy must stand above its target', number)
  .option('--json <file>', 'write { rows } there: medians over the random halves')
  .action(async (options) => await costBench(options))

program
  .command('cache')
  .description(
    'how often the semantic cache answers and how often wrongly: audited policy, best static threshold with hindsight, ceiling; pairs beside what GPTCache published',
  )
  .option('--data <dir>', 'sets of any known shape (default: shared/data/semantic-cache beside the project, where it exists)')
  .addOption(
    new Option(
      '--encoder <names...>',
      'hashed: the embedded one; use: a sentence encoder, where it is installed; use+hashed: both as one',
    )
      .choices(ENCODERS)
      .default(['hashed']),
  )
  .option('--orders <n>', 'orders of each set that are tried; the table has means', positive, 3)
  .option('--json <file>', 'write { rows } there')
  .action(async (options) => await cacheBench(options))

program
  .command('vectors')
  .description(
    'the 8 nearest of 10,000 and 100,000 synthetic vectors: time and recall of the exact index in memory, of usearch where it is installed, of a loop',
  )
  .option('--sizes <n...>', 'vectors that are searched', sizes, DEFAULT_SIZES)
  .option('--dimensions <n>', 'numbers of each vector', positive, 384)
  .option('--queries <n>', 'searches that are timed', positive, 500)
  .option('--seed <n>', 'of the vectors', positive, 1)
  .option('--json <file>', 'write { rows } there')
  .action(async (options) => void (await vectorsBench(options)))

function sizes(text: string, former: unknown): number[] {
  // The default is put in place of what was given first.
  return Array.isArray(former) && former !== DEFAULT_SIZES ? [...former, positive(text)] : [positive(text)]
}

function whole(text: string): number {
  return text === '0' ? 0 : positive(text)
}

function number(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !(value >= 0)) throw new InvalidArgumentError('a number from 0')
  return value
}

program
  .command('soak')
  .description('calls through every guard, 30 % of them aborted: heap slope, abort listeners and timers before and after')
  .option('--calls <n>', 'in all', positive, 1_000_000)
  .option('--json <file>', 'write { rows } there')
  .action(async (options) => void (await soakBench(options)))

program
  .command('simulate')
  .description(
    'on a virtual clock, seeded: static against adaptive limits, hedging on and off, breaker and queue control on and off; minutes take seconds',
  )
  .option('--seed <n>', 'of the generator', positive, 1)
  .option('--json <file>', 'write { rows } there')
  .action(async (options) => void (await simulateBench(options)))

program
  .command('budget')
  .description(
    'what processes that share a budget bill against it, with clients that leave, kills, settles that come twice and a Redis that loses all; beside common schemes',
  )
  .option('--processes <n>', 'processes of the load', positive, 4)
  .option('--concurrent <n>', 'calls in flight of the small budget', positive, 256)
  .option('--rounds <n>', 'runs of each scheme', positive, 1)
  .option('--seed <n>', 'of the load', positive, 1)
  .addOption(new Option('--only <schemes...>', 'these schemes alone').choices(SCHEMES.map(({ name }) => name)))
  .option('--json <file>', 'write { rows } there')
  .action(async (options) => void (await budgetBench(options)))

program
  .command('kill')
  .description(
    'kills a process with its budget, journal and ledger under load, again and again: the ledger against what the upstream billed',
  )
  .option('--times <n>', 'kills', positive, 50)
  .option('--concurrent <n>', 'calls in flight', positive, 32)
  .option('--seed <n>', 'of the load and of the moments', positive, 1)
  .option('--json <file>', 'write { rows } there')
  .action(async (options) => void (await killBench(options)))

program
  .command('stampede')
  .description(
    'equal streams asked of several processes at once, with calls not shared, shared within a process, and over the fleet: upstream calls, first tokens, bodies',
  )
  .option('--clients <n>', 'streams at once', positive, 200)
  .option('--processes <n>', 'gateways', positive, 4)
  .option('--rounds <n>', 'stampedes of each kind; the table has medians', positive, 5)
  .option('--seed <n>', 'of the moments at which clients come', positive, 1)
  .addOption(new Option('--only <sharings...>', 'these alone').choices(SHARINGS))
  .option('--json <file>', 'write { rows } there')
  .action(async (options) => void (await stampedeBench(options)))

program
  .command('failover')
  .description(
    'kills the master of Sentinel and of a Redis Cluster under two nodes that answer from the cache and invalidate: failed requests, answers out of date, time of recovery',
  )
  .option('--rounds <n>', 'kills of each topology', positive, 2)
  .addOption(new Option('--only <topologies...>', 'these alone').choices(TOPOLOGIES))
  .option('--json <file>', 'write { rows } there')
  .action(async (options) => void (await failoverBench(options)))

function positive(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('a whole number from 1')
  return value
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)
  process.once(signal, () => process.exit(code))

await program.parseAsync()
