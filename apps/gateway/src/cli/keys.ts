import { userInfo } from 'node:os'
import {
  ADMIN_ROLES,
  type IssuedKey,
  type KeyChange,
  type KeyFilter,
  type KeyInput,
  type KeyRecord,
} from '@switchyard/contract'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { orFail } from './failure.ts'
import type { KeysAt } from './keys-remote.ts'
import type { WhereOptions } from './keys-store.ts'
import { table } from './table.ts'

interface ChangeOptions extends WhereOptions {
  readonly reason: string
  readonly json: boolean
}

interface CreateOptions extends ChangeOptions {
  readonly admin?: true | (typeof ADMIN_ROLES)[number]
  readonly tenant?: string
  readonly name?: string
  readonly team?: string
  readonly user?: string
  readonly roles?: string
  readonly models?: string
  readonly endpoints: string
  readonly sources: string
  readonly expiresIn?: number
}

const WITHOUT_REASON = 'by the command line'
const PAGE = 500

/** Adds `switchyard keys create | list | rotate | revoke`. */
export function addKeysCommand(program: Command): void {
  const group = program.command('keys').description('make, list, rotate and revoke the keys that are asked for')
  const command = (name: string, description: string): Command =>
    group
      .command(name)
      .description(description)
      .option('-c, --config <file>', 'configuration file, whose database is opened')
      .option('--url <url>', 'a running gateway instead, with the key in SWITCHYARD_ADMIN_KEY')
      .option('--json', 'as JSON', false)
  const change = (name: string, description: string): Command =>
    command(name, description).option('--reason <text>', 'why, for the audit', WITHOUT_REASON)

  change('create', 'make a key and print it, this once')
    .addOption(
      new Option('--admin [role]', 'an admin key, for the admin API only, instead of a virtual key')
        .choices(ADMIN_ROLES)
        .preset('admin'),
    )
    .option('--tenant <name>', 'whose it is (default of an admin key: operators)')
    .option('--name <text>', 'what people call it')
    .option('--team <name>', 'team that it counts for')
    .option('--user <name>', 'user that it counts for')
    .option('--roles <names>', 'roles of a virtual key, such as trace')
    .option('--models <names>', 'models that it may call: names or patterns such as openai/*, by commas, or any')
    .option('--endpoints <names>', 'endpoints that it may call, by commas, or any', 'any')
    .option('--sources <blocks>', 'CIDR blocks that it may come from, by commas, or any', 'any')
    .option('--expires-in <time>', 'how long it lives, such as 12h or 90d (default: for ever)', duration)
    .action((options: CreateOptions) => orFail(() => create(options)))
  command('list', 'list keys, never their secrets')
    .option('--tenant <name>', 'of this tenant')
    .option('--team <name>', 'of this team')
    .option('--user <name>', 'of this user')
    .addOption(new Option('--class <class>', 'of this class').choices(['virtual', 'admin']))
    .addOption(new Option('--state <state>', 'in this state').choices(['active', 'expired', 'revoked']))
    .action((options: WhereOptions & KeyFilter & { readonly json: boolean }) => orFail(() => list(options)))
  change('rotate <id>', 'give a key a new secret and print it, this once')
    .option('--overlap <time>', 'how long the present secret is taken too, such as 1h', duration, 0)
    .action((id: string, options: ChangeOptions & { readonly overlap: number }) =>
      orFail(() =>
        withKeys(options, async (at) => print(await at.rotate(id, options.overlap, changeOf(options)), options.json)),
      ),
    )
  change('revoke <id>', 'end a key for good').action((id: string, options: ChangeOptions) =>
    orFail(() =>
      withKeys(options, async (at) => {
        const record = await at.revoke(id, changeOf(options))
        console.log(options.json ? JSON.stringify(record, null, 2) : `${record.id} is revoked`)
      }),
    ),
  )
}

/** Loaded only when it is needed, as the work of every command is. */
async function withKeys(options: WhereOptions, work: (at: KeysAt) => Promise<void>): Promise<void> {
  await (await import('./keys-store.ts')).withKeys(options, work)
}

async function create(options: CreateOptions): Promise<void> {
  const { admin, tenant, name, team, user, roles, models, endpoints, sources, expiresIn } = options
  const common = {
    ...(name !== undefined && { name }),
    ...(team !== undefined && { team }),
    ...(user !== undefined && { user }),
    sources: listIn(sources),
    ...(expiresIn !== undefined && { expiresAt: Date.now() + expiresIn }),
  }
  const input: KeyInput =
    admin !== undefined
      ? { class: 'admin', tenant: tenant ?? 'operators', roles: [admin === true ? 'admin' : admin], ...common }
      : {
          class: 'virtual',
          tenant: tenant ?? '',
          ...(roles !== undefined && { roles: roles.split(',') }),
          models: models === undefined ? undefined : listIn(models),
          endpoints: listIn(endpoints),
          ...common,
        }
  await withKeys(options, async (at) => print(await at.create(input, changeOf(options)), options.json))
}

async function list({ config, url, json, ...filter }: WhereOptions & KeyFilter & { readonly json: boolean }): Promise<void> {
  const found: KeyRecord[] = []
  await withKeys({ ...(config !== undefined && { config }), ...(url !== undefined && { url }) }, async (at) => {
    for (;;) {
      const after = found.at(-1)?.id
      const page = await at.list({ ...filter, limit: PAGE, ...(after !== undefined && { after }) })
      found.push(...page)
      if (page.length < PAGE) return
    }
  })
  if (json) console.log(JSON.stringify(found, null, 2))
  else console.log(found.length === 0 ? 'no keys' : table(HEAD, found.map(cells)))
}

const HEAD = ['ID', 'CLASS', 'STATE', 'TENANT', 'TEAM', 'USER', 'NAME', 'ROLES', 'MODELS', 'EXPIRES', 'LAST USED']

function cells(record: KeyRecord): readonly string[] {
  const { id, class: of, state, tenant, team, user, name, roles, models } = record
  const at = (ms: number | null | undefined): string => (typeof ms === 'number' ? new Date(ms).toISOString().slice(0, 16) : '-')
  const text = [id, of, state, tenant, team ?? '-', user ?? '-', name || '-', roles.join(' ') || '-', models.join(' ') || '-']
  // Whoever may name a key could write to the terminal of whoever lists them.
  return [...text.map((cell) => cell.replaceAll(/\p{C}/gu, '?')), at(record.expiresAt), at(record.lastUsedAt)]
}

function print({ record, key }: IssuedKey, json: boolean): void {
  if (json) {
    console.log(JSON.stringify({ ...record, key: key.reveal() }, null, 2))
    return
  }
  console.log(`${key.reveal()}\n`)
  console.log(
    `  id ${record.id}, ${record.class}, tenant ${record.tenant}. The key is shown this once: only its digest is kept.`,
  )
}

function changeOf({ reason }: ChangeOptions): KeyChange {
  return { by: `${userName()} (cli)`, reason }
}

/** In containers that run as a number of their own, no name belongs to it, and Node throws. */
function userName(): string {
  try {
    return userInfo().username
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`
  }
}

function listIn(text: string): readonly string[] | 'any' {
  return text === 'any' ? 'any' : text.split(',')
}

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

function duration(text: string): number {
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  if (count === undefined) throw new InvalidArgumentError('Give a whole number and a unit, such as 30m, 12h or 90d.')
  return Number(count) * (UNITS[unit] as number)
}
