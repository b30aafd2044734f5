import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TemporaryFolder, temporaryFolder } from './support/folder.ts'
import { spawnCli } from './support/process.ts'

let folder: TemporaryFolder
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(() => folder.remove())

async function run(args: string, env: NodeJS.ProcessEnv = {}): Promise<Record<'code' | 'out' | 'err', unknown>> {
  const { exited, out, err } = spawnCli(args.split(' '), { cwd: folder.path, env })
  return { code: await exited, out: out(), err: err() }
}

test('--help, and a PORT that is none', async () => {
  expect(await run('--help')).toMatchObject({ code: 0, out: expect.stringContaining('Usage: switchyard'), err: '' })
  const err =
    'switchyard: CONFIG_INVALID: the environment variable PORT is "http": set a whole number from 0 to 65535, or unset it\n'
  expect(await run('start', { PORT: 'http' })).toEqual({ code: 1, out: '', err })
})

test('models loads the catalog and neither kernel nor plugins, so that it is there at once', async () => {
  const hooks = `import { registerHooks } from 'node:module'
    registerHooks({ load: (url, context, next) => (process.stderr.write(url + ' '), next(url, context)) })`
  const NODE_OPTIONS = `--import data:text/javascript,${encodeURIComponent(hooks)}`
  const { code, out, err } = await run('models --provider groq', { NODE_OPTIONS })
  expect([code, out]).toEqual([0, expect.stringMatching(/groq\/.* models\n$/s)])
  expect(err).toMatch(/packages\/catalog\//)
  expect(err).not.toMatch(/packages\/(kernel|egress|model-wire)\/|\/plugins\/|node_modules\/(?!\.pnpm\/|commander\/)/)
})

test('a plugin that is installed beside the configuration is found, also one that only import may load', async () => {
  const install = async (name: string, manifest: object, text: string): Promise<void> => {
    await folder.write(`team/node_modules/${name}/package.json`, JSON.stringify({ name, type: 'module', ...manifest }))
    await folder.write(`team/node_modules/${name}/index.js`, text)
  }
  const definition = "{ name: '@acme/plugin', contract: 1 }"
  const text = `export const it = (input, placement) => ({ input, placement, definition: ${definition} })`
  await install('@acme/plugin', { exports: { import: './index.js' } }, text)
  await folder.write('team/good.json', '{"plugins":[{"use":"@acme/plugin"},{"use":"@switchyard/resilience"}]}')
  const { code, out, err } = await run('plugins --json --config team/good.json')
  expect([code, err]).toEqual([0, ''])
  expect(JSON.parse(String(out)).map((row: { plugin: string }) => row.plugin)).toEqual([
    '@acme/plugin',
    '@switchyard/resilience',
  ])

  await install('acme-broken', { exports: './index.js' }, "throw new Error('its own reason')")
  await install('acme-needy', { exports: './index.js' }, "import 'acme-needed'")
  await folder.write('team/bad.json', '{"plugins":[{"use":"acme-broken"},{"use":"acme-needy"},{"use":"acme-gone"}]}')
  const bad = await run('plugins --config team/bad.json')
  expect(bad).toMatchObject({ code: 1, out: '' })
  expect(bad.err).toMatch(/"acme-broken" could not be loaded \(its own reason\)\n/)
  expect(bad.err).toMatch(/"acme-needy" could not be loaded \(.*'acme-needed'.*\)\n/)
  expect(bad.err).toMatch(/"acme-gone" could not be loaded \(.*\); npm install acme-gone\n/)
})
