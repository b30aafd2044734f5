import { type Command, InvalidArgumentError, Option } from 'commander'
import { addCacheAdminCommands } from './admin-commands.ts'
import type { EvaluateOptions } from './evaluate.ts'

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
  return cache
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
