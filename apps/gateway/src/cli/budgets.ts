import { type Command, InvalidArgumentError, Option } from 'commander'
import { orFail } from './failure.ts'

/** What `switchyard budgets` is asked. */
export interface BudgetsOptions {
  readonly url?: string
  readonly json: boolean
}

/** What `switchyard budgets set` is asked. */
export interface SetOptions extends BudgetsOptions {
  readonly level: string
  readonly limit: string
  readonly window?: string
  readonly timeZone?: string
  readonly tag?: string
  readonly match?: string
  readonly tenants?: string
  readonly thresholds?: readonly number[]
  readonly soft?: true
  readonly downRoute?: true
}

/** Adds `switchyard budgets list | set | remove`. */
export function addBudgetsCommand(program: Command): void {
  const group = program.command('budgets').description('list, make, change and remove budgets of a gateway that runs')
  const command = (name: string, description: string): Command =>
    group
      .command(name)
      .description(description)
      .option('--url <url>', 'the gateway (default: http://127.0.0.1:8080); its admin key in SWITCHYARD_ADMIN_KEY')
      .option('--json', 'as JSON', false)
  command('list', 'list budgets').action((options: BudgetsOptions) =>
    orFail(async () => (await import('./budgets-run.ts')).listBudgets(options)),
  )
  command('set <name>', 'make a budget, or change it; what was spent stays')
    .addOption(
      new Option('--level <level>', 'what it is counted by')
        .choices(['org', 'team', 'key', 'user', 'model', 'provider', 'tag', 'session'])
        .makeOptionMandatory(),
    )
    .requiredOption('--limit <usd>', 'what may be spent in a window, in USD')
    .addOption(
      new Option('--window <window>', 'when it begins anew (default: month)').choices(['day', 'week', 'month', 'total']),
    )
    .option('--time-zone <name>', 'of the window, such as Europe/Berlin (default: UTC)')
    .option('--tag <name>', 'which tag, at level tag')
    .option('--match <values>', 'values that it is for, by commas; a final * matches any rest')
    .option('--tenants <names>', 'tenants that it is for, by commas')
    .option('--thresholds <parts>', 'parts of the limit that raise an alert, such as 0.5,0.8,1', parts)
    .option('--soft', 'count and alert only')
    .option('--down-route', 'try the next alternative before refusing')
    .action((name: string, options: SetOptions) =>
      orFail(async () => (await import('./budgets-run.ts')).setBudget(name, options)),
    )
  command('remove <name>', 'remove a budget').action((name: string, options: BudgetsOptions) =>
    orFail(async () => (await import('./budgets-run.ts')).removeBudget(name, options)),
  )
}

function parts(text: string): readonly number[] {
  const all = text.split(',').map(Number)
  if (all.every((part) => part > 0 && part <= 10)) return all
  throw new InvalidArgumentError('Give parts of the limit by commas, such as 0.5,0.8,1.')
}
