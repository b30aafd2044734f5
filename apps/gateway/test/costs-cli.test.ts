import { sqlite } from '@switchyard/connector-sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { booksOn } from './support/books.ts'
import { type CliResult, cli } from './support/cli.ts'
import { type TestGateway, testGateway } from './support/gateway.ts'

const ENV = { SWITCHYARD_ADMIN_KEY: 'sk-admin' }
let gateway: TestGateway
beforeEach(async () => {
  const keys = [
    { key: 'sk-blue', tenant: 'acme', team: 'blue' },
    { key: 'sk-admin', tenant: 'ops', roles: ['admin'] },
  ]
  gateway = await testGateway(booksOn(sqlite({ path: ':memory:' })), { auth: { keys } })
})
afterEach(() => gateway.close())

const run = (line: string, env: NodeJS.ProcessEnv = ENV): Promise<CliResult> =>
  cli([...line.split(' '), '--url', gateway.url], process.cwd(), env)

async function chat(): Promise<number> {
  const body = JSON.stringify({ model: 'own/x', max_tokens: 400, messages: [{ role: 'user', content: 'hi' }] })
  const headers = { authorization: 'Bearer sk-blue' }
  return (await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', headers, body })).status
}

describe('switchyard costs', () => {
  test('prints a table with its total, CSV, JSON and FOCUS', async () => {
    await chat()
    await chat()
    const { out, code } = await run('costs --by team,model')
    expect(code).toBe(0)
    expect(out).toMatch(/TEAM +MODEL +COST \(USD\).*\n +blue +own\/x +0\.00964 +2 +0 +1000 +800 +0\n +total +0\.00964/)
    expect((await run('costs --by team --format csv')).out).toMatch(/^team,cost_usd,.*\r\nblue,0\.00964,9640,/)
    expect(JSON.parse((await run('costs --by team --format json')).out)).toMatchObject({ total: { costMicroUsd: 9_640 } })
    expect((await run('costs --format focus')).out).toMatch(/^BilledCost,.*\r\n0\.0/)
    expect((await run('costs --by team --filter team=red')).out).toMatch(/total +0 /)
  })

  test('prints forecast, anomalies and savings', async () => {
    await chat()
    await run('budgets set all --level org --limit 1')
    const forecast = await run('costs --forecast')
    expect(forecast.out).toMatch(/this month: \$0\.00 spent, .* expected \(no band yet; a run rate/)
    expect(forecast.out).toMatch(/BUDGET .*\n +all +acme +acme +\$0\.00 +\$1\.00/)
    expect((await run('costs --anomalies')).out).toBe('  nothing unusual\n')
    expect((await run('costs --savings')).out).toMatch(
      /measured: no control arm\n +modelled: 0 USD saved of 0\.00482, 0\.00482 paid/,
    )
    expect(JSON.parse((await run('costs --savings --format json')).out)).toMatchObject({ object: 'cost_savings' })
  })

  test.each([
    ['costs --from soon', /from: write 2026-10-25/],
    ['costs --by colour', /no dimension "colour"/],
    ['costs --filter team', /write NAME=VALUE/],
    ['costs --forecast --format csv', /as table or json/],
    ['budgets remove nope', /no budget "nope"/],
    ['budgets set x --level tag --limit 1', /name the tag/],
  ])('%s is refused', async (line, message) => {
    expect(await run(line)).toEqual({ code: 1, out: '', err: expect.stringMatching(message) })
  })

  test('needs a key where the gateway does, and sends none in clear', async () => {
    expect((await run('costs', {})).err).toMatch(/answered 401/)
    const elsewhere = (url: string, env: NodeJS.ProcessEnv): Promise<CliResult> =>
      cli(['costs', '--url', url], process.cwd(), env)
    expect((await elsewhere('http://gateway.example', ENV)).err).toMatch(/use https/)
    expect((await elsewhere('https://gateway.example', {})).err).toMatch(/set SWITCHYARD_ADMIN_KEY/)
    expect((await elsewhere('gateway', ENV)).err).toMatch(/is no URL/)
  })
})

describe('switchyard budgets', () => {
  test('makes, lists, changes and removes one', async () => {
    expect((await run('budgets list')).out).toBe('no budgets\n')
    const made = await run('budgets set small --level team --match blue --limit 0.001 --window day --thresholds 0.5,1')
    expect(made.out).toMatch(/small +team +blue +0\.001 +day +UTC +refuse +admin/)
    expect(await chat()).toBe(429)
    await run('budgets set small --level team --limit 0.001 --soft')
    expect(await chat()).toBe(200)
    expect(JSON.parse((await run('budgets list --json')).out)).toEqual([
      expect.objectContaining({ name: 'small', hard: false }),
    ])
    expect((await run('budgets remove small')).out).toBe('small is removed\n')
    expect((await run('budgets list')).out).toBe('no budgets\n')
  })

  test.each(['set x --level galaxy --limit 1', 'set x --limit 1', 'set x --level team --limit 1 --thresholds soon'])(
    '%s is no command',
    async (line) => {
      expect((await run(`budgets ${line}`)).code).toBe(1)
    },
  )
})
