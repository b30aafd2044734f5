import type { Command } from 'commander'
import { orFail } from '../failure.ts'

/** What commands to a gateway that runs are asked. */
export interface RemoteOptions {
  readonly url?: string
  readonly json: boolean
}

/** What `switchyard cache report` is asked. */
export interface ReportOptions extends RemoteOptions {
  readonly from?: string
  readonly to?: string
  readonly timeZone?: string
}

/** What `switchyard cache invalidate` is asked. */
export interface InvalidateOptions extends RemoteOptions {
  readonly tenant?: string
  readonly tag?: readonly string[]
  readonly model?: readonly string[]
  readonly prompt?: readonly string[]
  readonly target?: string
  readonly table?: readonly string[]
  readonly everything?: true
  readonly dryRun: boolean
  readonly yes: boolean
}

/** Adds `invalidate` and `report` to `switchyard cache`. */
export function addCacheAdminCommands(cache: Command): void {
  const command = (name: string, description: string): Command =>
    cache
      .command(name)
      .description(description)
      .option('--url <url>', 'the gateway (default: http://127.0.0.1:8080); its admin key in SWITCHYARD_ADMIN_KEY')
      .option('--json', 'as JSON', false)
  command('invalidate', 'remove stored replies, on every node: of a tenant, of tables of a database, or all')
    .option('--tenant <tenant>', 'whose: all of them, or those that bear one of the following')
    .option('--tag <tag>', 'tag that callers gave; may be given several times', collect)
    .option('--model <model>', 'name as callers ask for it; may be given several times', collect)
    .option('--prompt <digest>', 'digest of a system prompt, as explain tells it; may be given several times', collect)
    .option('--target <instance>', 'what was read from this database')
    .option('--table <table>', 'with --target: this table alone; may be given several times', collect)
    .option('--everything', 'all stored replies of all tenants')
    .option('--dry-run', 'say how many there are, and remove none', false)
    .option('--yes', 'do not ask before --everything', false)
    .action((options: InvalidateOptions) => orFail(async () => (await import('./invalidate.ts')).cacheInvalidate(options)))
  command('report', 'say what the cache does: hits beside what repeats allow, wrong answers, and money saved, net')
    .option('--from <time>', 'money from then on: a date, a time or epoch ms (default: this month)')
    .option('--to <time>', 'money until before then (default: now)')
    .option('--time-zone <name>', 'of dates, such as Europe/Berlin (default: UTC)')
    .action((options: ReportOptions) => orFail(async () => (await import('./report.ts')).cacheReport(options)))
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}
