import { Command, InvalidArgumentError, Option } from 'commander'
import { ENDPOINTS } from '../routes/model.ts'
import { check } from './check.ts'
import { explainCommand } from './explain.ts'
import { parsePort } from './flags.ts'
import { plugins } from './plugins.ts'
import { start } from './start.ts'

/** The command line: `start`, `check`, `explain`, `plugins`. */
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
    .action((options) => (options.check === true ? check(options) : start(options)))
  command('check', 'validate the configuration and print the assembly; starts nothing').action(check)
  command('explain', 'say which target would serve a request and what each policy would decide, without calling it')
    .requiredOption('-m, --model <model>', 'model, as provider/model')
    .option('--message <text>', 'what the user says', 'Hello')
    .addOption(new Option('--endpoint <endpoint>', 'what is asked').choices(ENDPOINTS).default('chat/completions'))
    .option('--stream', 'as a streamed request', false)
    .action(explainCommand)
  command('plugins', 'list the plugins of the assembly: instance, package, what they provide and require')
    .option('--json', 'as JSON', false)
    .action(plugins)
  return program
}

function port(text: string): number {
  const value = parsePort(text)
  if (value === undefined) throw new InvalidArgumentError('Give a whole number from 0 to 65535.')
  return value
}
