import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { describe as sentence } from '../house/finding.ts'
import { type Files, findingsWith, GOOD, manifest } from './fixture-house.ts'

test('a house in order has no findings', () => {
  expect(findingsWith({})).toEqual([])
})

const PEER = { peerDependencies: { '@switchyard/contract': 'workspace:^' } }
const lines = (count: number): string => 'export const a = 1\n'.repeat(count)
const after = (line: number, text: string): string => `${'// a\n'.repeat(line - 1)}${text}\nexport const a = 1\n`
/** Spelt in pieces: the checker reads this file too. */
const MACHINE = ['', 'home', 'ann', 'notes.md'].join('/')
const OUTSIDE = ['..', 'shared', 'x.md'].join('/')

const BREACHES: readonly [name: string, changes: Files, ...where: string[]][] = [
  // Who may import whom.
  [
    'the contract imports a package',
    { 'packages/contract/src/thing.ts': after(3, `import { z } from 'zod'`) },
    'packages/contract/src/thing.ts:3 import-direction',
  ],
  [
    'the contract imports a value of the spec',
    { 'packages/contract/src/thing.ts': after(2, `import { x } from '@standard-schema/spec'`) },
    'packages/contract/src/thing.ts:2 import-direction',
  ],
  [
    'the contract imports the kernel',
    { 'packages/contract/src/thing.ts': after(2, `import type { K } from '@switchyard/kernel'`) },
    'packages/contract/src/thing.ts:2 import-direction',
  ],
  [
    'the kernel imports zod',
    { 'packages/kernel/src/thing.ts': after(4, `import { z } from 'zod'`) },
    'packages/kernel/src/thing.ts:4 import-direction',
  ],
  [
    'the kernel imports a ground package',
    { 'packages/kernel/src/thing.ts': after(1, `export * from '@switchyard/model-wire'`) },
    'packages/kernel/src/thing.ts:1 import-direction',
  ],
  [
    'a ground package imports another',
    { 'packages/egress/src/thing.ts': after(1, `import type { A } from '@switchyard/model-wire'`) },
    'packages/egress/src/thing.ts:1 import-direction',
  ],
  [
    'a package imports a vendor',
    { 'packages/egress/src/thing.ts': after(6, `import OpenAI from 'openai'`) },
    'packages/egress/src/thing.ts:6 import-direction',
  ],
  [
    'a plugin imports the kernel',
    { 'plugins/cache-memory/src/thing.ts': after(2, `import {\n  startKernel,\n} from '@switchyard/kernel'`) },
    'plugins/cache-memory/src/thing.ts:4 import-direction',
  ],
  [
    'a plugin imports types of the kernel',
    { 'plugins/cache-memory/src/thing.ts': after(2, `import type { K } from '@switchyard/kernel'`) },
    'plugins/cache-memory/src/thing.ts:2 import-direction',
  ],
  [
    'a plugin imports another lazily',
    { 'plugins/cache-memory/src/thing.ts': after(9, `await import('@switchyard/provider-openai')`) },
    'plugins/cache-memory/src/thing.ts:9 import-direction',
  ],
  [
    'a plugin imports an app',
    { 'plugins/cache-memory/src/thing.ts': after(1, `import '@switchyard/gateway'`) },
    'plugins/cache-memory/src/thing.ts:1 import-direction',
  ],
  [
    "a plugin's test imports another plugin",
    { 'plugins/cache-memory/test/thing.test.ts': after(1, `import { a } from '@switchyard/provider-openai/deep'`) },
    'plugins/cache-memory/test/thing.test.ts:1 import-direction',
  ],
  [
    'a plugin ships the testkit',
    { 'plugins/cache-memory/src/thing.ts': after(1, `import { virtualClock } from '@switchyard/testkit'`) },
    'plugins/cache-memory/src/thing.ts:1 import-direction',
  ],
  [
    'the gateway ships the testkit',
    { 'apps/gateway/src/thing.ts': after(1, `import { virtualClock } from '@switchyard/testkit'`) },
    'apps/gateway/src/thing.ts:1 import-direction',
  ],
  [
    'the gateway imports the bench',
    { 'apps/gateway/src/thing.ts': after(1, `import '@switchyard/bench'`) },
    'apps/gateway/src/thing.ts:1 import-direction',
  ],
  [
    'a relative path leaves the package',
    { 'plugins/cache-memory/src/thing.ts': after(1, `import { a } from '../../provider-openai/src/thing.ts'`) },
    'plugins/cache-memory/src/thing.ts:1 import-direction',
  ],
  [
    'src imports a test',
    { 'plugins/cache-memory/src/thing.ts': after(1, `import { a } from '../test/thing.test.ts'`) },
    'plugins/cache-memory/src/thing.ts:1 import-direction',
  ],
  [
    'a manifest depends on the kernel',
    {
      'plugins/cache-memory/package.json': manifest('cache-memory', {
        ...PEER,
        dependencies: { '@switchyard/kernel': 'workspace:^' },
      }),
    },
    'plugins/cache-memory/package.json:7 manifest-direction',
  ],
  [
    'a manifest depends on a vendor',
    { 'packages/egress/package.json': manifest('egress', { dependencies: { pg: '^8.0.0' } }) },
    'packages/egress/package.json:4 manifest-direction',
  ],
  [
    'a manifest ships the testkit',
    {
      'plugins/cache-memory/package.json': manifest('cache-memory', {
        ...PEER,
        dependencies: { '@switchyard/testkit': 'workspace:^' },
      }),
    },
    'plugins/cache-memory/package.json:7 manifest-direction',
  ],
  // What code may touch.
  [
    'a pure package reads files',
    { 'packages/model-wire/src/thing.ts': after(2, `import { readFileSync } from 'node:fs'`) },
    'packages/model-wire/src/thing.ts:2 pure-package',
  ],
  [
    'the file for its own data does more than read',
    { 'packages/model-wire/src/package-data.ts': after(2, `import { spawn } from 'node:child_process'`) },
    'packages/model-wire/src/package-data.ts:2 pure-package',
  ],
  [
    'the time of day in a pure package',
    { 'packages/model-wire/src/thing.ts': after(3, 'export const x = Date.now()') },
    'packages/model-wire/src/thing.ts:3 pure-package',
  ],
  [
    'chance in a pure package',
    { 'packages/model-wire/src/thing.ts': after(3, `import { randomUUID } from 'node:crypto'`) },
    'packages/model-wire/src/thing.ts:3 pure-package',
  ],
  [
    'fetch in a pure package',
    { 'packages/contract/src/thing.ts': after(3, `export const x = () => fetch('http://x')`) },
    'packages/contract/src/thing.ts:3 no-fetch',
  ],
  [
    'the environment is read in a plugin',
    { 'plugins/cache-memory/src/thing.ts': after(3, 'export const url = process.env.URL') },
    'plugins/cache-memory/src/thing.ts:3 no-env',
  ],
  [
    'fetch in egress',
    { 'packages/egress/src/thing.ts': after(3, `export const x = () => fetch('http://x')`) },
    'packages/egress/src/thing.ts:3 no-fetch',
  ],
  [
    'fetch in a provider',
    { 'plugins/provider-openai/src/thing.ts': after(3, 'export const x = globalThis.fetch') },
    'plugins/provider-openai/src/thing.ts:3 no-fetch',
  ],
  [
    'the time of day in a policy',
    { 'plugins/cache-memory/src/thing.ts': after(3, 'export const x = Date.now()') },
    'plugins/cache-memory/src/thing.ts:3 injected-time',
  ],
  [
    'chance in the kernel',
    { 'packages/kernel/src/thing.ts': after(3, 'export const x = Math.random()') },
    'packages/kernel/src/thing.ts:3 injected-time',
  ],
  [
    'a default export',
    { 'apps/gateway/src/thing.ts': after(3, 'export default 3') },
    'apps/gateway/src/thing.ts:3 named-exports',
  ],
  [
    'a name exported as default',
    { 'apps/gateway/test/thing.test.ts': after(3, 'const x = 1\nexport { x as default }') },
    'apps/gateway/test/thing.test.ts:4 named-exports',
  ],
  [
    'the kernel speaks of models',
    { 'packages/kernel/src/thing.ts': after(2, `import type { ModelRequest } from '@switchyard/contract'`) },
    'packages/kernel/src/thing.ts:2 kernel-vocabulary',
  ],
  // Rooms and names.
  ['a camel-case file', { 'apps/gateway/src/myThing.ts': 'export const x = 1\n' }, 'apps/gateway/src/myThing.ts:1 names'],
  ['a junk folder', { 'apps/gateway/src/deep/utils/x.ts': 'export const x = 1\n' }, 'apps/gateway/src/deep/utils/x.ts:1 names'],
  ['a junk file', { 'apps/gateway/src/helpers.ts': 'export const x = 1\n' }, 'apps/gateway/src/helpers.ts:1 names'],
  ['an unknown folder at the top', { 'tools/x.md': 'x' }, 'tools/x.md:1 top-level'],
  ['a file of 301 lines', { 'apps/gateway/src/thing.ts': lines(301) }, 'apps/gateway/src/thing.ts:301 file-length'],
  ['no README', { 'packages/egress/README.md': null }, 'packages/egress/README.md:1 rooms'],
  ['no tests', { 'packages/egress/test/thing.test.ts': null }, 'packages/egress/test:1 rooms'],
  ['no options', { 'plugins/cache-memory/src/options.ts': null }, 'plugins/cache-memory/src/options.ts:1 rooms'],
  ['no wiring', { 'plugins/cache-memory/src/plugin.ts': null }, 'plugins/cache-memory/src/plugin.ts:1 rooms'],
  ['wiring of 80 lines', { 'plugins/cache-memory/src/plugin.ts': lines(80) }, 'plugins/cache-memory/src/plugin.ts:80 rooms'],
  [
    'a provider without errors.ts',
    { 'plugins/provider-openai/src/errors.ts': null },
    'plugins/provider-openai/src/errors.ts:1 rooms',
  ],
  [
    'a vendor without errors.ts',
    { 'plugins/cache-memory/package.json': manifest('cache-memory', { ...PEER, dependencies: { ioredis: '^5.0.0' } }) },
    'plugins/cache-memory/src/errors.ts:1 rooms',
  ],
  [
    'a port without its suite',
    { 'plugins/cache-memory/test/conformance.test.ts': null },
    'plugins/cache-memory/test/conformance.test.ts:1 rooms',
  ],
  [
    'an index with code',
    { 'packages/egress/src/index.ts': `export { a } from './thing.ts'\n\nexport const b = 1\n` },
    'packages/egress/src/index.ts:3 index-exports',
  ],
  // Manifests.
  [
    'the contract is no peer',
    { 'plugins/cache-memory/package.json': manifest('cache-memory') },
    'plugins/cache-memory/package.json:1 contract-peer',
  ],
  [
    'the contract is a dependency',
    {
      'plugins/cache-memory/package.json': manifest('cache-memory', {
        dependencies: { '@switchyard/contract': 'workspace:^' },
      }),
    },
    'plugins/cache-memory/package.json:4 contract-peer',
  ],
  [
    'a name that is not the folder',
    { 'packages/egress/package.json': manifest('outbound') },
    'packages/egress/package.json:2 package-name',
  ],
  [
    'a fixed workspace version',
    { 'packages/egress/package.json': manifest('egress', { dependencies: { '@switchyard/contract': '^1.0.0' } }) },
    'packages/egress/package.json:4 workspace-version',
  ],
  [
    'a version twice',
    {
      'apps/gateway/package.json': manifest('gateway', { dependencies: { zod: '^4.0.0' } }),
      'apps/bench/package.json': manifest('bench', { private: true, dependencies: { zod: 'catalog:' } }),
    },
    'apps/gateway/package.json:4 catalog-version',
  ],
  // Traces.
  [
    'a path of a machine',
    { 'packages/egress/README.md': `# x\n\nsee ${MACHINE}\n` },
    'packages/egress/README.md:3 machine-path',
  ],
  [
    'a path outside the repo',
    { 'packages/egress/src/other.ts': `// see ${OUTSIDE}\nexport const b = 2\n` },
    'packages/egress/src/other.ts:1 machine-path',
  ],
]

test.each(BREACHES)('%s', (_name, changes, ...where) => {
  expect(findingsWith(changes).map(({ file, line, rule }) => `${file}:${line} ${rule}`)).toEqual(where)
})

test.each<[string, Files]>([
  [
    'a ban inside a comment or a string',
    {
      'plugins/provider-openai/src/thing.ts':
        "// fetch(x); process.env\nexport const a = 'Date.now() export default'\nexport const b = `process.env ${1} fetch(`\n",
    },
  ],
  [
    'an import inside a string',
    { 'packages/kernel/src/thing.ts': `export const a = "import { z } from 'zod'"\nexport const b = /from 'zod'/\n` },
  ],
  [
    'a test that uses the kernel and the testkit',
    { 'plugins/cache-memory/test/thing.test.ts': `import '@switchyard/kernel'\nimport '@switchyard/testkit'\n` },
  ],
  [
    'the bench on the testkit and the gateway',
    { 'apps/bench/src/thing.ts': `import '@switchyard/gateway'\nimport '@switchyard/testkit'\n` },
  ],
  [
    'a plugin on ground packages',
    { 'plugins/provider-openai/src/thing.ts': `import '@switchyard/egress'\nimport '@switchyard/model-wire'\n` },
  ],
  ['the environment in an app', { 'apps/gateway/src/thing.ts': 'export const a = process.env.HOME\n' }],
  ['a method named fetch', { 'packages/egress/src/thing.ts': 'export const a = (x: { fetch(): void }) => x.fetch()\n' }],
  ['a default export of a configuration', { 'packages/egress/vitest.config.ts': 'const x = 1\nexport default x\n' }],
  [
    'a base of the root in a configuration',
    { 'packages/egress/vitest.config.ts': `import { x } from '../../vitest.base.ts'\nexport { x }\n` },
  ],
  [
    'a second copy of a module in a test',
    { 'packages/kernel/test/thing.test.ts': `import { a } from '../../contract/src/thing.ts?copy'\n` },
  ],
  ['what a vendor without types exports', { 'packages/egress/src/vendor.d.ts': 'declare const a: 1\nexport default a\n' }],
  [
    'a pure package that hashes, and reads its own data',
    {
      'packages/model-wire/src/thing.ts': `import { createHash } from 'node:crypto'\nexport const x = new Date(3)\n`,
      'packages/model-wire/src/package-data.ts': `import { readFileSync } from 'node:fs'\n`,
    },
  ],
  ['the clock of the system', { 'packages/kernel/src/system-clock.ts': 'export const now = () => Date.now()\n' }],
  ['a table of data', { 'packages/egress/src/table.ts': `// house: data table\n${lines(900)}` }],
  ['300 lines', { 'packages/egress/src/thing.ts': lines(300) }],
  ['79 lines of wiring', { 'plugins/cache-memory/src/plugin.ts': lines(79) }],
  ['what a build left', { 'packages/egress/dist/utils/X.ts': 'export default process.env\n' }],
])('is no breach: %s', (_name, changes) => {
  expect(findingsWith(changes)).toEqual([])
})

test('the script prints one line a finding, ends with 1, and reads what git does not ignore', () => {
  const root = mkdtempSync(join(tmpdir(), 'switchyard-house-'))
  try {
    const put = (path: string, text: string): void => {
      mkdirSync(join(root, path, '..'), { recursive: true })
      writeFileSync(join(root, path), text)
    }
    for (const [path, text] of Object.entries(GOOD)) put(path, text as string)
    execFileSync('git', ['init', '-q'], { cwd: root })
    put('.gitignore', 'ignored/\n')
    put('ignored/x.ts', 'export default 1\n')
    const script = join(import.meta.dirname, '..', 'check-house.ts')
    const good = spawnSync(process.execPath, [script, root], { encoding: 'utf8' })
    expect([good.status, good.stdout]).toEqual([0, 'the house is in order\n'])
    put('apps/gateway/src/thing.ts', 'export default 3\n')
    const bad = spawnSync(process.execPath, [script, root], { encoding: 'utf8' })
    expect(bad.status).toBe(1)
    expect(bad.stdout).toBe(
      'apps/gateway/src/thing.ts:1  named-exports  — a default export; mend: export it by name\n1 breaches of the house rules\n',
    )
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
})

test('a finding reads as file, line, rule, wrong, mend', () => {
  const finding = { file: 'a.ts', line: 3, rule: 'names', wrong: 'it is bad', mend: 'make it good' }
  expect(sentence(finding)).toBe('a.ts:3  names  — it is bad; mend: make it good')
})
