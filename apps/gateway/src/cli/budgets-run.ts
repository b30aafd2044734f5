import { type AdminClient, adminClient } from './admin-client.ts'
import type { BudgetsOptions, SetOptions } from './budgets.ts'
import { table } from './table.ts'

type Json = Readonly<Record<string, unknown>>

/** Prints all budgets. Rejects as the admin API does. */
export async function listBudgets(options: BudgetsOptions): Promise<void> {
  await at(options, async (client) => {
    const { data } = JSON.parse((await client.ask('GET', '/admin/budgets')).text) as { readonly data: readonly Json[] }
    if (options.json) console.log(JSON.stringify(data, null, 2))
    else console.log(data.length === 0 ? 'no budgets' : table(HEAD, data.map(cells)))
  })
}

/** Makes or changes one. Rejects as the admin API does. */
export async function setBudget(name: string, options: SetOptions): Promise<void> {
  const { level, limit, window, timeZone, tag, match, tenants, thresholds, soft, downRoute } = options
  const body = {
    level,
    limitUsd: limit,
    ...(window !== undefined && { window }),
    ...(timeZone !== undefined && { timeZone }),
    ...(tag !== undefined && { tag }),
    ...(match !== undefined && { match: match.split(',') }),
    ...(tenants !== undefined && { tenants: tenants.split(',') }),
    ...(thresholds !== undefined && { thresholds }),
    ...(soft === true && { hard: false }),
    ...(downRoute === true && { onExceed: 'down-route' }),
  }
  await at(options, async (client) => {
    const { text } = await client.ask('PUT', `/admin/budgets/${encodeURIComponent(name)}`, body)
    const made = JSON.parse(text) as Json
    if (options.json) console.log(JSON.stringify(made, null, 2))
    else console.log(table(HEAD, [cells(made)]))
  })
}

/** Removes one. Rejects as the admin API does. */
export async function removeBudget(name: string, options: BudgetsOptions): Promise<void> {
  await at(options, async (client) => {
    const { text } = await client.ask('DELETE', `/admin/budgets/${encodeURIComponent(name)}`)
    console.log(options.json ? JSON.stringify(JSON.parse(text), null, 2) : `${name} is removed`)
  })
}

const HEAD = ['NAME', 'LEVEL', 'OF', 'LIMIT (USD)', 'WINDOW', 'TIME ZONE', 'WHEN USED UP', 'SOURCE']

function cells(budget: Json): readonly string[] {
  const { name, level, tag, match, limitUsd, window, timeZone, hard, onExceed, source } = budget
  const of = [tag, ...(Array.isArray(match) ? match : [match])].filter((one) => one !== undefined).join(' ')
  const then = hard === false ? 'alert' : onExceed === 'down-route' ? 'down-route' : 'refuse'
  return [name, level, of === '' ? '-' : of, limitUsd, window, timeZone, then, source].map(String)
}

async function at(options: BudgetsOptions, work: (client: AdminClient) => Promise<void>): Promise<void> {
  const client = adminClient(options.url)
  await work(client).finally(() => client.close())
}
