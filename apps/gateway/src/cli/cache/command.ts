import { type Command, InvalidArgumentError, Option } from 'commander'
import { addCacheAdminCommands } from './admin-commands.ts'
import type { AnalyseOptions } from './analyse.ts'
import type { EvaluateOptions } from './evaluate.ts'
import type { WarmOptions } from './warm.ts'

/** The command `cache`, that others of the cache are added to. */
export function addCacheCommand(program: Command): Command {
  const cache = program.command('cache').description('see and empty the cache, or try it on a log of your own')
  addCacheAdminCommands(cache)
  cache
    .command('evaluate')
    .description('replay labelled requests through an empty cache: hits, wrong answers and the ceiling, by level')
    .requiredOption('--data <file>', 'JSON lines; plain or gzipped')
    .option('--text <field>', 'field with what was asked', 'text')
    .option('--labels <field>', 'field that is equal where an answer would do for both', 'label')
    .addOption(
      new Option('--order <order>', 'as in the file, or shuffled three times')
        .choices(['given', 'shuffled'])
        .default('shuffled'),
    )
    .option('--seed <n>', 'of the first shuffle; the others follow', whole, 1)
    .option('--epsilon <shares...>', 'share of all requests that may be answered wrongly (default: 0.01)', shares)
    .option('--judge-noise <share>', 'how often the judge is wrong', share, 0)
    .option('--judge-share <share>', 'share of the misses that the judge is asked about', share, 1)
    .option('--language <tag>', 'language of texts whose words tell none', 'en')
    .option('--json <file>', 'write { rows } there')
    .action(async (options: EvaluateOptions) => (await import('./evaluate.ts')).cacheEvaluate(options))
  cache
    .command('analyse')
    .description('say of a log of your own requests how many repeat, and what each level of the cache would have answered')
    .requiredOption('--log <file>', 'JSON lines: requests as clients send them, or objects with one as body or request')
    .addOption(asScope())
    .addOption(asSampling())
    .option('--tools', 'also requests with tools of the caller', false)
    .option('--near <mib...>', 'sizes of the level in the process, in MiB (default: 16 64 256)', sizes)
    .option('--upstream-ms <ms>', 'how long an answer takes, where a line does not tell', whole, 2_000)
    .option('--epsilon <shares...>', 'bounds that likeness is tried at (default: 0.005 0.01 0.03)', shares)
    .option('--max-distinct <n>', 'distinct requests that are remembered', positive, 500_000)
    .option('--max-alike <n>', 'requests that likeness is tried on', positive, 10_000)
    .option('--language <tag>', 'language of texts whose words tell none', 'en')
    .option('--json', 'as JSON', false)
    .action(async (options: AnalyseOptions) => (await import('./analyse.ts')).cacheAnalyse(options))
  cache
    .command('warm')
    .description('send each distinct request of a log that a cache keeps to a gateway that runs, once')
    .requiredOption('--log <file>', 'JSON lines: requests as clients send them, or objects with one as body or request')
    .option('--url <url>', 'the gateway; a key of its in SWITCHYARD_KEY', 'http://127.0.0.1:8080')
    .option('--tenant <name>', 'only requests of this tenant; needed where the log names several')
    .option('--limit <n>', 'only so many, the most repeated ones', positive)
    .option('--concurrency <n>', 'requests at a time', positive, 4)
    .option('--dry-run', 'say how many would be sent and what they would cost; sends nothing', false)
    .addOption(asSampling())
    .option('--tools', 'also requests with tools of the caller, as the gateway is set', false)
    .option('--max-distinct <n>', 'distinct requests that are remembered', positive, 500_000)
    .option('--json', 'as JSON', false)
    .action(async (options: Omit<WarmOptions, 'scope'>) => (await import('./warm.ts')).cacheWarm({ ...options, scope: 'key' }))
  return cache
}

function asScope(): Option {
  return new Option('--scope <scope>', 'who shares answers, as the gateway is set')
    .choices(['key', 'user', 'team', 'tenant', 'public'])
    .default('key')
}

function asSampling(): Option {
  return new Option('--sampling <which>', 'whose answers are given again, as the gateway is set')
    .choices(['zero', 'zero-or-unset', 'any'])
    .default('zero-or-unset')
}

function positive(text: string): number {
  const value = whole(text)
  if (value === 0) throw new InvalidArgumentError('Give a whole number from 1.')
  return value
}

function sizes(text: string, before: readonly number[] | undefined): readonly number[] {
  return [...(before ?? []), positive(text)]
}

function whole(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('Give a whole number from 0.')
  return value
}

function share(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !(value >= 0 && value <= 1))
    throw new InvalidArgumentError('Give a share from 0 to 1, such as 0.01.')
  return value
}

function shares(text: string, before: readonly number[] | undefined): readonly number[] {
  const value = share(text)
  if (value === 0 || value === 1) throw new InvalidArgumentError('Give a share between 0 and 1; at 0 nothing is ever served.')
  return [...(before ?? []), value]
}
