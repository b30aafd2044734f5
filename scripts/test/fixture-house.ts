import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { checkHouse } from '../house/check.ts'
import type { Finding } from '../house/finding.ts'

/** Contents by path; null takes a file away. */
export type Files = Readonly<Record<string, string | null>>

const json = (value: object): string => `${JSON.stringify(value, null, 2)}\n`

export const manifest = (name: string, rest: object = {}): string => json({ name: `@switchyard/${name}`, ...rest })

const TEST = `import { test } from 'vitest'\ntest('x', () => {})\n`
const PEER = {
  peerDependencies: { '@switchyard/contract': 'workspace:^' },
  devDependencies: { '@switchyard/contract': 'workspace:^' },
}

function plainPackage(path: string, rest: object = {}): Files {
  return {
    [`${path}/package.json`]: manifest(path.split('/')[1] as string, rest),
    [`${path}/README.md`]: '# x\n',
    [`${path}/src/index.ts`]: `export { a, type B } from './thing.ts'\nexport * from './other.ts'\n`,
    [`${path}/src/thing.ts`]: `export const a = 1\nexport type B = string\n`,
    [`${path}/src/other.ts`]: `export const b = 2\n`,
    [`${path}/test/thing.test.ts`]: TEST,
  }
}

function pluginPackage(name: string, rest: object = {}): Files {
  return {
    ...plainPackage(`plugins/${name}`, { ...PEER, ...rest }),
    [`plugins/${name}/src/options.ts`]: 'export const options = 1\n',
    [`plugins/${name}/src/plugin.ts`]: `export const plugin = { provides: {} }\n`,
    [`plugins/${name}/test/conformance.test.ts`]: TEST,
  }
}

const DEPENDS = { dependencies: { '@switchyard/contract': 'workspace:^' } }

/** A repo that breaches no rule. */
export const GOOD: Files = {
  'package.json': json({ name: 'switchyard', private: true }),
  ...plainPackage('packages/contract', { dependencies: { '@standard-schema/spec': '^1.0.0' } }),
  'packages/contract/src/thing.ts': `import type { StandardSchemaV1 } from '@standard-schema/spec'\nexport const a = 1\nexport type B = StandardSchemaV1\n`,
  ...plainPackage('packages/kernel', DEPENDS),
  ...plainPackage('packages/testkit', DEPENDS),
  ...plainPackage('packages/model-wire', DEPENDS),
  ...plainPackage('packages/egress', DEPENDS),
  ...pluginPackage('cache-memory'),
  ...pluginPackage('provider-openai'),
  'plugins/provider-openai/src/errors.ts': 'export const toError = 1\n',
  ...plainPackage('apps/gateway'),
  ...plainPackage('apps/bench', { private: true }),
}

/** The findings in the good repo with these changes. */
export function findingsWith(changes: Files): readonly Finding[] {
  const root = mkdtempSync(join(tmpdir(), 'switchyard-house-'))
  try {
    for (const [path, content] of Object.entries({ ...GOOD, ...changes })) {
      if (content === null) continue
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), content)
    }
    return checkHouse(root)
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}
