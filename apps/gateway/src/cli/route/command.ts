import { type Command, InvalidArgumentError } from 'commander'
import type { EvaluateOptions } from './evaluate.ts'
import type { FitCommandOptions } from './fit.ts'

const DEFAULT_TARGETS = [0.98, 0.99, 1]

/** Adds `switchyard route fit` and `switchyard route evaluate`. */
export function addRouteCommand(program: Command): void {
  const route = program.command('route').description('learn from outcomes which model is good enough, and try it')
  described(route.command('fit').description('learn a router from files of outcomes; writes its artefact and a report'))
    .requiredOption('--data <paths...>', 'files of outcomes (.jsonl, .jsonl.gz), or folders of them with a datasets.json')
    .requiredOption('--target-quality <share>', "share of the reference's quality that is kept, such as 0.99", share)
    .option('--out <file>', 'write the artefact there, as JSON')
    .option('--report <file>', 'write the curve of cost and quality there, as SVG')
    .option('--seed <n>', 'deals the folds of the cross-validation', whole, 1)
    .action(async (options: FitCommandOptions) => (await import('./fit.ts')).routeFit(options))
  described(
    route.command('evaluate').description('learn from one file, route another, and compare with what needs no learning'),
  )
    .requiredOption('--train <paths...>', 'files to learn from')
    .requiredOption('--test <paths...>', 'files to route; the same as --train: from its train half to its test half')
    .option('--target-quality <shares...>', "shares of the reference's quality (default: 0.98 0.99 1)", shares)
    .option('--json <file>', 'write { rows } there')
    .action(async ({ targetQuality = DEFAULT_TARGETS, ...options }: EvaluateOptions) =>
      (await import('./evaluate.ts')).routeEvaluate({ ...options, targetQuality }),
    )
}

function described(command: Command): Command {
  return command
    .option(
      '--datasets <file>',
      'what is known of the models: reference, arms, prices (default: datasets.json beside the data)',
    )
    .option(
      '--reference <model>',
      'the model that quality and savings are measured against (default: as stated, else the dearest)',
    )
    .option('--prices <file>', 'JSON {"model": [input, output]} in pico-USD a token, for files without an entry')
    .option('--margin <n>', 'standard errors that the promise must stand above the target (default: 1)', atLeastNought)
}

function share(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !(value > 0 && value <= 1.5)) throw new InvalidArgumentError('Give a share such as 0.99.')
  return value
}

function shares(text: string, before: readonly number[] | undefined): readonly number[] {
  return [...(before ?? []), share(text)]
}

function whole(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('Give a whole number from 0.')
  return value
}

function atLeastNought(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !(value >= 0)) throw new InvalidArgumentError('Give a number from 0.')
  return value
}
