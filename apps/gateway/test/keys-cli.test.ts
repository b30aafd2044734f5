import { syncBuiltinESMExports } from 'node:module'
import os from 'node:os'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { choose } from '../src/config/configure.ts'
import { planEmbedded } from '../src/config/embedded.ts'
import { readSettings } from '../src/config/read.ts'
import { type CliResult, cli } from './support/cli.ts'
import { type TemporaryFolder, temporaryFolder } from './support/folder.ts'
import { type TestGateway, testGateway } from './support/gateway.ts'
import { stubProvider } from './support/stub-provider.ts'

let folder: TemporaryFolder
let gateway: TestGateway | undefined
beforeEach(async () => {
  folder = await temporaryFolder()
  await folder.write('switchyard.config.json', JSON.stringify({ embedded: { portkey: false, demo: false } }))
})
afterEach(async () => {
  await gateway?.close()
  gateway = undefined
  await folder.remove()
})

/** A second is promised; a busy machine may take longer to say so. */
const PATIENCE = { timeout: 15_000, interval: 50 }

const run = (line: string, env: NodeJS.ProcessEnv = {}): Promise<CliResult> =>
  cli(['keys', ...line.split(' ')], folder.path, env)

/** The gateway of the folder's configuration, on the same database, without processes. */
async function start(): Promise<TestGateway> {
  const path = `${folder.path}/switchyard.config.json`
  const { embedded } = await choose(await readSettings(path, {}), path, {})
  const { plugins } = planEmbedded(embedded ?? expect.fail('it is on'))
  gateway = await testGateway([...plugins, stubProvider({ name: 'own' })])
  return gateway
}
const chat = (key?: string): Promise<number> =>
  fetch(`${gateway?.url}/v1/chat/completions`, {
    method: 'POST',
    headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: 'own/x', messages: [] }),
  }).then(({ status }) => status)
const keyIn = ({ out }: CliResult): string => /^sk-sy-\S+/.exec(out)?.[0] ?? expect.fail(out)

describe('switchyard keys', () => {
  test.each([
    ['create --tenant acme', /models: say which models/],
    ['create --models any', /tenant: /],
    ['create --tenant acme --models any --roles admin', /admin is for admin keys only/],
    ['create --tenant acme --models any --endpoints chat', /endpoints: /],
    ['revoke nope', /no key "nope"/],
    ['rotate nope', /no key "nope"/],
    ['list --url http://127.0.0.1:9', /set SWITCHYARD_ADMIN_KEY/],
  ])('%s is refused', async (line, message) => {
    expect(await run(line)).toEqual({ code: 1, out: '', err: expect.stringMatching(message) })
  })

  test.each(['create --admin root', 'create --tenant a --models any --expires-in soon', 'list --state dead'])(
    '%s is no command',
    async (line) => {
      expect((await run(line)).code).toBe(1)
    },
  )

  test('says where no plugin of the configuration keeps keys', async () => {
    await folder.write('switchyard.config.json', JSON.stringify({ plugins: [] }))
    expect((await run('list')).err).toMatch(/add @switchyard\/access/)
  })

  test('works where the user has no name, as in a container', async () => {
    const real = os.userInfo
    try {
      os.userInfo = () => {
        throw new Error('uv_os_get_passwd returned ENOENT')
      }
      syncBuiltinESMExports()
      expect(JSON.parse((await run('create --tenant acme --models any --json')).out).createdBy).toMatch(/^uid \d+ \(cli\)$/)
    } finally {
      os.userInfo = real
      syncBuiltinESMExports()
    }
  })

  test('shows no name as a terminal would obey it', async () => {
    await start()
    const name = 'x\u001b[2J\u202ey'
    expect((await run(`create --tenant acme --models any --name ${name}`)).code).toBe(0)
    const { out } = await run('list')
    expect(out).toContain('x?[2J?y')
    expect(out).not.toContain('\u001b')
  })

  test('does not send an admin key over plain HTTP to another machine', async () => {
    const { code, err } = await run('list --url http://gateway.example', { SWITCHYARD_ADMIN_KEY: 'sk-canary' })
    expect([code, err]).toEqual([1, expect.stringMatching(/use https/)])
  })

  test('makes the first key on the machine itself; a gateway that runs asks for one within a second', async () => {
    await start()
    expect(await chat()).toBe(200)
    const virtual = keyIn(await run('create --tenant acme --models own/* --name ci --expires-in 1h'))
    await expect.poll(() => chat(), PATIENCE).toBe(401)
    expect(await chat(virtual)).toBe(200)
    const listed = await run('list')
    expect(listed.out).toMatch(/ID +CLASS +STATE.*\n +[0-9A-Za-z]{12} +virtual +active +acme +- +- +ci +- +own\/\* +20/)
    expect(listed.out).not.toContain(virtual.slice(-20))
    const [, , id = ''] = virtual.split('-')
    const next = keyIn(await run(`rotate ${id} --overlap 0s`))
    await expect.poll(() => chat(virtual), PATIENCE).toBe(401)
    expect(await chat(next)).toBe(200)
    expect((await run(`revoke ${id} --reason leaked`)).out).toBe(`${id} is revoked\n`)
    await expect.poll(() => chat(next), PATIENCE).toBe(401)
    expect((await run('list --state active')).out).toBe('no keys\n')
  })

  test('does the same at a gateway that runs, with an admin key from the environment', async () => {
    const { url } = await start()
    const env = { SWITCHYARD_ADMIN_KEY: keyIn(await run('create --admin')) }
    const at = `--url ${url}`
    await expect.poll(() => chat(), PATIENCE).toBe(401)
    const made = JSON.parse((await run(`create ${at} --tenant acme --models any --json`, env)).out)
    expect(await chat(made.key)).toBe(200)
    const rotated = JSON.parse((await run(`rotate ${made.id} ${at} --json`, env)).out)
    expect(await chat(rotated.key)).toBe(200)
    expect(JSON.parse((await run(`revoke ${made.id} ${at} --json`, env)).out)).toMatchObject({ id: made.id, state: 'revoked' })
    expect(await chat(rotated.key)).toBe(401)
    const listed = JSON.parse((await run(`list ${at} --class virtual --json`, env)).out)
    expect(listed).toMatchObject([{ id: made.id, createdBy: expect.stringMatching(/\(cli\) \([0-9A-Za-z]{12}\)$/) }])
    const wrong = await run(`list ${at}`, { SWITCHYARD_ADMIN_KEY: made.key })
    expect([wrong.code, wrong.err]).toEqual([1, expect.stringMatching(/answered 401/)])
  })
})
