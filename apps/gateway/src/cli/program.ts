import { MODEL_ENDPOINTS } from '@switchyard/contract'
import { Command, InvalidArgumentError, Option } from 'commander'
import { addBudgetsCommand } from './budgets.ts'
import { addCacheCommand } from './cache/command.ts'
import type { PlanOptions } from './check.ts'
import { addCostsCommand } from './costs.ts'
import type { ExplainOptions } from './explain.ts'
import { parsePort } from './flags.ts'
import { addKeysCommand } from './keys.ts'
import type { ModelsOptions } from './models.ts'
import { addRouteCommand } from './route/command.ts'
import type { StartOptions } from './start.ts'

/** The command line: `start`, `check`, `explain`, `models`, `plugins`. Each command loads what it needs, so that a small one is quick. */
export function switchyardProgram(): Command {
  const program = new Command('switchyard')
    .description('An OpenAI-compatible gateway over models, databases and APIs: one endpoint, one policy pipeline.')
    .showHelpAfterError('(add --help for what can be said)')
    .addHelpText(
      'after',
      '\nConfiguration: switchyard.config.{ts,js,json,yaml} in this folder, or --config FILE; without one, the embedded default.',
    )
  const command = (name: string, description: string): Command =>
    program.command(name).description(description).option('-c, --config <file>', 'configuration file')

  command('start', 'start the gateway')
    .option('-p, --port <port>', 'port to listen on (default: 8080, or PORT)', port)
    .option('-H, --host <host>', 'address to listen on (default: 127.0.0.1)')
    .addOption(
      new Option('--log-level <level>', 'least level that is logged').choices(['debug', 'info', 'warn', 'error', 'silent']),
    )
    .option('--no-watch', 'do not reload when the configuration file changes (SIGHUP still does)')
    .option('--check', 'validate the configuration, print the assembly, and leave')
    .action(async (options: StartOptions & { readonly check?: boolean }) =>
      options.check === true ? (await import('./check.ts')).check(options) : (await import('./start.ts')).start(options),
    )
  command('check', 'validate the configuration and print the assembly; starts nothing').action(async (options: PlanOptions) =>
    (await import('./check.ts')).check(options),
  )
  command('explain', 'say which target would serve a request and what each policy would decide, without calling it')
    .requiredOption('-m, --model <model>', 'model, as provider/model')
    .option('--message <text>', 'what the user says', 'Hello')
    .addOption(new Option('--endpoint <endpoint>', 'what is asked').choices(MODEL_ENDPOINTS).default('chat/completions'))
    .option('--stream', 'as a streamed request', false)
    .action(async (options: ExplainOptions) => (await import('./explain.ts')).explainCommand(options))
  command('plugins', 'list the plugins of the assembly: instance, package, what they provide and require')
    .option('--json', 'as JSON', false)
    .action(async (options: PlanOptions & { readonly json: boolean }) => (await import('./plugins.ts')).plugins(options))
  program
    .command('models')
    .description('list what the built-in catalog knows of models: what they can, hold and cost')
    .option('--capability <names>', 'all of these, such as tools,vision')
    .option('--modality <names>', 'takes in, and after > gives out, all of these, such as text,image>text')
    .option('--provider <slugs>', 'at one of these providers, such as openai,anthropic')
    .option('--max-price <usd>', 'at most this for a million tokens, of input and of output')
    .option('--min-context <tokens>', 'a context window of at least this, such as 128k')
    .option('--query <text>', 'text within the id or the name')
    .option('--deprecated', 'those that are deprecated or retired too', false)
    .option('--json', 'as JSON', false)
    .action(async (options: ModelsOptions) => (await import('./models.ts')).models(options))
  addKeysCommand(program)
  addCostsCommand(program)
  addBudgetsCommand(program)
  addRouteCommand(program)
  addCacheCommand(program)
  return program
}

function port(text: string): number {
  const value = parsePort(text)
  if (value === undefined) throw new InvalidArgumentError('Give a whole number from 0 to 65535.')
  return value
}
