import { readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => ({ name, text: readFileSync(join(root, 'src', name), 'utf8') }))

/** Words of models and vendors: the kernel would serve a plugin for a fax machine. */
const FOREIGN =
  /\b(models?|tokens?|prompts?|chat|llm|gpt|openai|anthropic|portkey|completions?|embeddings?|provider|sql|postgres|redis|http|zod)\b/i

test('the only runtime dependency is the contract', () => {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  expect(Object.keys(manifest.dependencies)).toEqual(['@switchyard/contract'])
  expect(manifest.peerDependencies ?? {}).toEqual({})
  expect(manifest.optionalDependencies ?? {}).toEqual({})
})

describe.each(sources)('$name', ({ name, text }) => {
  test('imports the contract, Node and its own package only', () => {
    const imported = [...text.matchAll(/from '([^']+)'/g), ...text.matchAll(/import\('([^']+)'\)/g)].map(
      (match) => match[1] as string,
    )
    const foreign = imported.filter(
      (name) => !name.startsWith('./') && !name.startsWith('../') && name !== '@switchyard/contract' && !isNode(name),
    )
    expect(foreign).toEqual([])
  })

  test('knows no word of models or vendors', () => {
    expect(text.split('\n').filter((line) => FOREIGN.test(line))).toEqual([])
  })

  test('reads no environment, and no time but the clock', () => {
    expect(text).not.toMatch(/process\.env/)
    if (name !== 'clock.ts') expect(text).not.toMatch(/Date\.now|performance\.now|setTimeout|setInterval/)
  })
})

function isNode(name: string): boolean {
  return name.startsWith('node:') && builtinModules.includes(name.slice('node:'.length))
}
