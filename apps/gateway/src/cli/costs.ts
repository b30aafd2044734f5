import { type Command, Option } from 'commander'
import { orFail } from './failure.ts'

/** What `switchyard costs` is asked. */
export interface CostsOptions {
  readonly url?: string
  readonly by: string
  readonly from?: string
  readonly to?: string
  readonly timeZone?: string
  readonly filter: readonly string[]
  readonly format: 'table' | 'csv' | 'json' | 'focus'
  readonly limit?: string
  readonly forecast?: true
  readonly anomalies?: true
  readonly savings?: true
}

/** Adds `switchyard costs`. */
export function addCostsCommand(program: Command): void {
  program
    .command('costs')
    .description('say what was spent, by the admin API of a gateway that runs')
    .option('--url <url>', 'the gateway (default: http://127.0.0.1:8080); its admin key in SWITCHYARD_ADMIN_KEY')
    .option('--by <names>', 'dimensions, by commas: team, key, user, model, provider, session, day, tag:NAME and more', 'model')
    .option('--from <time>', 'from then on: a date, a time or epoch ms (default: this month)')
    .option('--to <time>', 'until before then (default: now)')
    .option('--time-zone <name>', 'of days and months, such as Europe/Berlin (default: UTC)')
    .option('--filter <name=value>', 'only such rows; may be given several times', collect, [])
    .option('--limit <count>', 'groups at most')
    .addOption(new Option('--format <format>', 'how to print it').choices(['table', 'csv', 'json', 'focus']).default('table'))
    .option('--forecast', 'the month, and when budgets are used up, instead')
    .option('--anomalies', 'unusual hours instead')
    .option('--savings', 'what routing and caches saved, instead')
    .action((options: CostsOptions) => orFail(async () => (await import('./costs-print.ts')).printCosts(options)))
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value]
}
