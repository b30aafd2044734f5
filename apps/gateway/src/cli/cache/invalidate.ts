import { createInterface } from 'node:readline/promises'
import { SwitchyardError } from '@switchyard/contract'
import { type AdminClient, adminClient } from '../admin-client.ts'
import type { InvalidateOptions } from './admin-commands.ts'

interface Invalidated {
  readonly tags: readonly string[]
  readonly count: number | null
  readonly exact: boolean
}

/**
 * Removes stored replies by the admin API of a gateway that runs, and says how many there were. Before all of them it asks, where somebody is
 * there to answer. Rejects `INVALID_REQUEST` for what names nothing or too much, and as the admin API does.
 */
export async function cacheInvalidate(options: InvalidateOptions): Promise<void> {
  const { dryRun, json } = options
  const what = orderOf(options)
  const client = adminClient(options.url)
  try {
    if (options.everything === true && !dryRun && !options.yes) {
      if (process.stdin.isTTY !== true) throw invalid('--everything', 'add --yes, or look first with --dry-run')
      if (!(await agreed(await send(client, { ...what, dry_run: true })))) {
        console.log('nothing was removed')
        return
      }
    }
    const done = await send(client, { ...what, dry_run: dryRun })
    console.log(json ? JSON.stringify(done, null, 2) : `${dryRun ? 'would remove' : 'removed'} ${replies(done)}`)
  } finally {
    await client.close()
  }
}

function orderOf({ tenant, tag, model, prompt, target, table, everything }: InvalidateOptions): object {
  if ([tenant, target, everything].filter((one) => one !== undefined).length !== 1)
    throw invalid('invalidate', 'say one of --tenant, --target and --everything')
  if (tenant === undefined && (tag ?? model ?? prompt) !== undefined)
    throw invalid('--tag, --model, --prompt', 'they are of a tenant: say --tenant')
  if (target === undefined && table !== undefined) throw invalid('--table', 'it is of a database: say --target')
  return {
    ...(tenant !== undefined && { tenant }),
    ...(tag !== undefined && { tags: tag }),
    ...(model !== undefined && { models: model }),
    ...(prompt !== undefined && { prompts: prompt }),
    ...(target !== undefined && { target }),
    ...(table !== undefined && { tables: table }),
    ...(everything === true && { everything }),
  }
}

async function send(client: AdminClient, order: object): Promise<Invalidated> {
  return JSON.parse((await client.ask('POST', '/admin/cache/invalidate', order)).text) as Invalidated
}

async function agreed(found: Invalidated): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await terminal.question(`remove ${replies(found)}, of all tenants? [y/N] `)
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    terminal.close()
  }
}

function replies({ count, exact, tags }: Invalidated): string {
  if (count === null)
    return `what bears ${tags.length === 1 ? 'the tag' : `one of ${tags.length} tags`}; the store cannot count it`
  return `${exact ? '' : 'about '}${count} stored ${count === 1 ? 'reply' : 'replies'}`
}

function invalid(param: string, what: string): SwitchyardError {
  return new SwitchyardError('INVALID_REQUEST', `${param}: ${what}`)
}
