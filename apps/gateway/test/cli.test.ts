import { readdir } from 'node:fs/promises'
import { MODEL_ENDPOINTS } from '@switchyard/contract'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { cli } from './support/cli.ts'
import { type TemporaryFolder, temporaryFolder } from './support/folder.ts'

let folder: TemporaryFolder
beforeEach(async () => {
  folder = await temporaryFolder()
})
afterEach(() => folder.remove())

const run = (args: string, env?: NodeJS.ProcessEnv): ReturnType<typeof cli> => cli(args.split(' '), folder.path, env)
const config = (content: object): Promise<string> => folder.write('switchyard.config.json', JSON.stringify(content))
const provider = (options: object, as?: string): object => ({ use: '@switchyard/provider-openai', options, as })

describe('the command line', () => {
  test('--help names every command and where the configuration is', async () => {
    const { out, code } = await run('--help')
    expect(code).toBe(0)
    for (const word of ['start', 'check', 'explain', 'models', 'plugins', 'switchyard.config.{ts,js,json,yaml}'])
      expect(out).toContain(word)
    const start = await run('start --help')
    for (const flag of ['--config', '--port', '--host', '--log-level', '--no-watch', '--check'])
      expect(start.out).toContain(flag)
  })

  test.each([
    ['nonsense', /unknown command 'nonsense'/],
    ['start --prot 1', /unknown option '--prot'.*\n?.*--port/],
    ['start --port 70000', /'70000' is invalid. Give a whole number from 0 to 65535/],
    ['start --port ', /Give a whole number/],
    ['start --port 0x50', /Give a whole number/],
    ['start --log-level loud', /Allowed choices are debug, info, warn, error, silent/],
    ['explain', /required option '-m, --model <model>' not specified/],
    [
      'explain -m a/b --endpoint nonsense',
      /Allowed choices are chat\/completions, completions, responses, messages, embeddings, /,
    ],
  ])('switchyard %s is refused, and points to --help', async (args, message) => {
    const { err, code } = await run(args)
    expect(code).toBe(1)
    expect(err).toMatch(message)
    expect(err).toContain('--help')
  })
})

describe('check', () => {
  test('tells every problem of the assembly at once, with exit code 1', async () => {
    await config({
      plugins: [
        provider({ provider: 'a', baseURL: 'http://127.0.0.1:9/v1' }),
        provider({ provider: '', apiKey: 'sk-canary' }, 'second'),
        provider({}, 'second'),
        { use: '@switchyard/resilience', bind: { nothing: 'second' } },
      ],
    })
    const { out, err, code } = await run('check')
    expect(code).toBe(1)
    expect(err).toMatch(/^switchyard: CONFIG_INVALID: 4 problems:/)
    expect(err).toContain('unknown option "baseURL"; Did you mean "baseUrl"?')
    expect(err).toContain('option "provider" is not valid')
    expect(err).toContain('two plugins have the instance name "second"')
    expect(err).toMatch(/"nothing"/)
    expect(out).toContain('provider-openai')
    expect(out + err).not.toMatch(/canary|\bok\b|\n {4}at /)
  })

  test.each<[string, object, RegExp]>([
    ['settings', { server: { prot: 1 }, logg: 1 }, /"server\.prot".*\n.*"logg"/],
    ['plugins that cannot be had', { plugins: [{ use: './a.js' }, { use: './b.js' }] }, /a\.js.*\n.*b\.js/],
    ['an open host', { server: { host: '0.0.0.0' }, plugins: [] }, /lets other machines in/],
  ])('tells problems of %s', async (_, content, message) => {
    await config(content)
    const { err, code } = await run('check')
    expect([code, err]).toEqual([1, expect.stringMatching(message)])
  })

  test('says what would listen where, and starts nothing', async () => {
    const path = await config({ auth: { keys: [{ key: 'sk-canary', tenant: 'a' }] }, server: { host: '::1', port: 1 } })
    const { out, err, code } = await run('check')
    expect([code, err]).toEqual([0, ''])
    expect(out).toContain(`configuration: ${path}\n`)
    expect(out).toMatch(/INSTANCE +PLUGIN +PROVIDES +REQUIRES\n/)
    expect(out).toMatch(/connector-sqlite +@switchyard\/connector-sqlite +sql@1/)
    expect(out).toContain('listens on ::1:1; 1 keys\nok\n')
    expect(out).not.toContain('canary')
    expect(await readdir(folder.path)).toEqual(['switchyard.config.json'])
  })

  test('without a file tells of the embedded default', async () => {
    expect((await run('check')).out).toContain('configuration: none; the embedded default\n')
  })

  test.each([
    ['', {}, 'listens on 127.0.0.1:7000; no keys'],
    ['', { PORT: '7001' }, 'listens on 127.0.0.1:7001; no keys'],
    ['', { PORT: '' }, 'listens on 127.0.0.1:7000; no keys'],
    ['', { PORT: 'http' }, 'CONFIG_INVALID: the environment variable PORT is "http": set a whole number from 0 to 65535'],
    ['', { PORT: '-1' }, 'the environment variable PORT is "-1"'],
    [' --port 7002', { PORT: 'http' }, 'listens on 127.0.0.1:7002; no keys'],
    [' --host 0.0.0.0', {}, 'listens on 0.0.0.0:7000; no keys listed, so that it starts only where one was created'],
  ])('agrees with start --check%s and %j', async (flags, env, said) => {
    await config({ server: { port: 7_000 } })
    const checked = await run(`start --check${flags}`, env)
    expect(checked.out + checked.err).toContain(said)
    if (flags === '') expect(await run('check', env)).toEqual(checked)
  })
})

describe('plugins', () => {
  test('lists what the configuration assembles, as JSON', async () => {
    await config({ plugins: [provider({ provider: 'a' }, 'mine'), { use: '@switchyard/cache-memory' }] })
    const { out, code } = await run('plugins --json')
    expect(code).toBe(0)
    expect(JSON.parse(out)).toEqual([
      expect.objectContaining({ instance: 'mine', plugin: '@switchyard/provider-openai', provides: ['model@1'], requires: [] }),
      expect.objectContaining({ instance: 'cache-memory', provides: expect.arrayContaining(['cache@1']) }),
    ])
  })

  test('names what a plugin needs, and how many', async () => {
    await folder.write(
      'needy.js',
      `const port = { id: 'sql', version: 1 }
       export const needy = (input, placement) => ({ input, placement, definition: {
         name: '@acme/needy', contract: 1, requires: { one: port, some: { port: { id: 'cache', version: 2 }, arity: 'many' } } } })`,
    )
    await config({ plugins: [{ use: './needy.js' }] })
    expect((await run('plugins')).out).toMatch(/ {2}needy +@acme\/needy +- +sql@1, cache@2 \(many\)\n/)
  })

  test('of a configuration that cannot be read say so', async () => {
    expect(await run('plugins --json --config gone.yaml')).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining('gone'),
    })
  })
})

describe('models', () => {
  test.each([
    ['--capability toolz', /INVALID_REQUEST: capability: "toolz" is none of tools, .*vision/],
    ['--modality smell', /modality: "smell" is none of text, image/],
    ['--max-price cheap', /maxPrice: "cheap" is no amount of USD/],
    ['--min-context big', /minContext: "big" is no number of tokens/],
  ])('%s is refused, naming what there is', async (args, message) => {
    expect(await run(`models ${args}`)).toEqual({ code: 1, out: '', err: expect.stringMatching(message) })
  })

  test('of which none meets all say so', async () => {
    expect(await run('models --query no-such-model')).toEqual({
      code: 0,
      err: '',
      out: expect.stringMatching(/^0 of \d+ models\n$/),
    })
  })

  test('are a table with a count at its end, needing no configuration', async () => {
    await folder.write('switchyard.config.json', 'not JSON')
    const { out, code } = await run('models --capability tools,vision --max-price 1 --provider openai')
    const lines = out.trimEnd().split('\n')
    expect(code).toBe(0)
    expect(lines[0]).toMatch(/^ {2}MODEL +KIND +CONTEXT +IN \$\/M +OUT \$\/M +CAPABILITIES$/)
    expect(lines.at(-1)).toMatch(new RegExp(`^${lines.length - 2} of \\d+ models$`))
    expect(lines.length).toBeGreaterThan(3)
    for (const line of lines.slice(1, -1)) expect(line).toMatch(/^ {2}openai\/.* tools .*vision/)
  })

  test('what nobody knows is a dash', async () => {
    const { out } = await run('models --provider 302ai --query kimi-k3')
    expect(out).toMatch(/302ai\/kimi-k3 +chat +1,048,576 +- +- /)
  })

  test('as JSON have prices in numbers, and the version of the catalog', async () => {
    const { out } = await run('models --provider openai --query gpt-5.4-mini --min-context 128k --json')
    const { catalogVersion, count, models } = JSON.parse(out)
    expect(catalogVersion).toMatch(/^[0-9a-f]{16}$/)
    expect(models).toHaveLength(count)
    expect(models).toContainEqual(
      expect.objectContaining({ id: 'openai/gpt-5.4-mini', inputPrice: expect.any(Number), outputPrice: expect.any(Number) }),
    )
  })
})

describe('explain', () => {
  test.each([
    ['-m a/one', { endpoint: 'chat/completions', stream: false }],
    ['-m a/one --stream', { endpoint: 'chat/completions', stream: true }],
    ...MODEL_ENDPOINTS.map((endpoint): [string, object] => [
      `-m a/one --endpoint ${endpoint} --message x`,
      { endpoint, stream: false },
    ]),
  ])('%s says who would serve it and what is decided, and calls nobody', async (args, expected) => {
    await config({
      plugins: [{ use: '@switchyard/resilience' }, provider({ provider: 'a', baseUrl: 'http://127.0.0.1:9/v1' })],
    })
    const { out, code } = await run(`explain ${args}`)
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ model: 'a/one', target: 'provider-openai', served: true, ...expected })
    expect(out).toContain('resilience/retry')
  })

  test('of a public name says which target is first, and what else would be tried', async () => {
    const routes = { safe: { targets: ['a/one', 'a/two'] } }
    await config({
      plugins: [
        { use: '@switchyard/routing', options: { routes } },
        { use: '@switchyard/resilience' },
        provider({ provider: 'a' }),
      ],
    })
    const explained = JSON.parse((await run('explain -m safe')).out)
    expect(explained).toMatchObject({ model: 'safe', target: 'provider-openai', served: true })
    expect(explained.decisions).toContainEqual(expect.objectContaining({ by: 'routing/route', decision: 'ranked' }))
    expect(JSON.stringify(explained)).toContain('provider-openai/a/two')
  })

  test('of a model that nobody serves says what is on', async () => {
    await config({ plugins: [provider({ provider: 'a' })] })
    const { err, code } = await run('explain -m b/two')
    expect([code, err]).toEqual([1, expect.stringMatching(/NOT_FOUND: .*no provider "b" is on \(on now: a\/\*\)/)])
  })
})

test('a bug is no message for people: it is thrown with its stack', async () => {
  await folder.write('switchyard.config.js', "export default { get server() { throw new TypeError('a bug') } }")
  await expect(run('check')).rejects.toThrow('a bug')
})
