import { definePort, many, optional, type Plugin } from '@switchyard/contract'
import { expect, test, vi } from 'vitest'
import { z } from 'zod'
import { type Assembly, checkAssembly, type Problem, startKernel } from '../src/index.ts'
import { line, paper, plugin, rejection } from './fixtures.ts'

const check = (...plugins: unknown[]): Promise<readonly Problem[]> => checkAssembly({ plugins: plugins as Plugin[] })

const speaking = (contract: number, of: Plugin): Plugin => ({
  ...of,
  definition: { ...of.definition, contract: contract as 1 },
})

test('a sound assembly has no problems', async () => {
  const problems = await check(
    plugin('fax', { requires: { line, spare: optional(paper), all: many(line) } }),
    plugin('modem', { provides: { line } }),
  )
  expect(problems).toEqual([])
})

test('reports every problem of every plugin at once, and runs no setup', async () => {
  const setup = vi.fn()
  const assembly: Assembly = {
    plugins: [
      plugin('a', { requires: { line }, setup }),
      plugin('b', { options: z.strictObject({ size: z.number() }), input: { size: 'big' }, setup }),
      speaking(2, plugin('c', { setup })),
      plugin('@x/twin', { setup }),
      plugin('@y/twin', { setup }),
    ],
  }
  const error = await rejection(startKernel(assembly))
  const { problems } = (error as { details: { problems: Problem[] } }).details
  expect(problems.map(({ code, plugin }) => `${plugin} ${code}`)).toEqual([
    'c CONTRACT_UNSUPPORTED',
    'twin CONFIG_INVALID',
    'a DEPENDENCY_MISSING',
    'b CONFIG_INVALID',
  ])
  expect(problems.every(({ mend }) => mend !== '')).toBe(true)
  expect(error).toMatchObject({ code: 'CONFIG_INVALID', retryable: false })
  expect((error as Error).message).toContain('needs the port acme/line@1')
  expect(setup).not.toHaveBeenCalled()
})

test('the error has the code of its problems where they agree', async () => {
  const assembly = { plugins: [plugin('a', { requires: { line } }), plugin('b', { requires: { line } })] }
  expect(await rejection(startKernel(assembly))).toMatchObject({ code: 'DEPENDENCY_MISSING' })
})

test.each([
  [2, 'Update @switchyard/kernel'],
  [0, 'Update @acme/old'],
])('a plugin of contract %i is told which side to update', async (contract, mend) => {
  const [problem, ...others] = await check(speaking(contract, plugin('@acme/old', { requires: { line } })))
  expect(problem).toMatchObject({ code: 'CONTRACT_UNSUPPORTED', plugin: 'old', mend })
  expect(others).toEqual([])
})

test('a plugin of another contract still counts as there for those that need its ports', async () => {
  const problems = await check(speaking(2, plugin('modem', { provides: { line } })), plugin('fax', { requires: { line } }))
  expect(problems.map(({ plugin }) => plugin)).toEqual(['modem'])
})

const line2 = definePort<object>('acme/line', 2)

test.each([
  ['once', line, line2, 'fax'],
  ['once', line2, line, 'modem'],
  ['optional', optional(line2), line, 'modem'],
  ['many', many(line), line2, 'fax'],
])('a port version that does not fit names the side to update (%s)', async (_, needed, given, behind) => {
  const [problem, ...others] = await check(
    plugin('fax', { requires: { line: needed } }),
    plugin('modem', { provides: { line: given } }),
  )
  expect(problem).toMatchObject({ code: 'CONTRACT_UNSUPPORTED', plugin: 'fax' })
  expect(problem?.mend).toContain(`Update ${behind}`)
  expect(others).toEqual([])
})

test('an instance that gives both versions of a port serves both sides', async () => {
  const both = plugin('modem', { provides: { line, line2 } })
  expect(await check(both, plugin('old', { requires: { line } }), plugin('new', { requires: { all: many(line2) } }))).toEqual(
    [],
  )
})

test('a bound version mismatch names the side to update', async () => {
  const [problem] = await check(
    plugin('fax', { requires: { line: line2 }, place: { bind: { line: 'modem' } } }),
    plugin('modem', { provides: { line } }),
  )
  expect(problem).toMatchObject({ code: 'CONTRACT_UNSUPPORTED', mend: expect.stringContaining('Update modem') })
})

test('a missing port names the need', async () => {
  expect(await check(plugin('fax', { requires: { out: line } }))).toEqual([
    {
      code: 'DEPENDENCY_MISSING',
      plugin: 'fax',
      message: '"out" needs the port acme/line@1, and no plugin of the assembly provides it',
      mend: "Add a plugin that provides acme/line@1; if it is there, check the port's id and version",
    },
  ])
})

test('nobody meets a need of their own', async () => {
  const alone = plugin('relay', { requires: { line }, provides: { line } })
  expect((await check(alone))[0]?.message).toContain('provides it besides itself')
  expect(await check(alone, plugin('modem', { provides: { line } }))).toEqual([])
})

const modems = [
  plugin('modem', { provides: { line }, place: { as: 'first' } }),
  plugin('modem', { provides: { line }, place: { as: 'second' } }),
]

test.each([
  ['once', line],
  ['optional', optional(line)],
])('a need that two instances meet must be bound (%s)', async (_, need) => {
  const [problem] = await check(plugin('fax', { requires: { out: need } }), ...modems)
  expect(problem).toMatchObject({
    code: 'CONFIG_INVALID',
    plugin: 'fax',
    message: expect.stringContaining('"first", "second"'),
  })
  expect(problem?.mend).toContain("bind: { out: 'first' }")
  expect(await check(plugin('fax', { requires: { out: need }, place: { bind: { out: 'second' } } }), ...modems)).toEqual([])
})

test('bind to an instance that does not exist names the nearest', async () => {
  const [problem] = await check(plugin('fax', { requires: { line }, place: { bind: { line: 'secnd' } } }), ...modems)
  expect(problem).toMatchObject({ code: 'DEPENDENCY_MISSING', mend: "Did you mean bind: { line: 'second' }?" })
  expect(problem?.message).toContain('no such instance')
})

test('bind to an instance without the port names those that have it', async () => {
  const [problem] = await check(
    plugin('fax', { requires: { line }, place: { bind: { line: 'tray' } } }),
    plugin('tray', { provides: { paper } }),
    ...modems,
  )
  expect(problem).toMatchObject({ code: 'DEPENDENCY_MISSING', mend: 'Instances that provide it: first, second' })
})

test('bind to a need that the plugin does not have names the nearest', async () => {
  const [problem] = await check(plugin('fax', { requires: { line }, place: { bind: { lien: 'first' } } }), modems[0])
  expect(problem).toMatchObject({ code: 'CONFIG_INVALID', plugin: 'fax', mend: 'Did you mean "line"?' })
})

test('one instance name for two plugins names both and `as`', async () => {
  const [problem, ...others] = await check(plugin('@x/fax'), plugin('@y/fax'))
  expect(problem?.message).toBe('two plugins have the instance name "fax": @x/fax and @y/fax')
  expect(problem?.mend).toContain('as:')
  expect(others).toEqual([])
  expect((await check(plugin('fax', { place: { as: '' } })))[0]?.message).toContain('empty')
})

test.each([
  ['once', line],
  ['optional', optional(line)],
  ['many', many(line)],
])('a cycle is told with its path (%s)', async (_, need) => {
  const problems = await check(
    plugin('outside', { requires: { paper } }),
    plugin('a', { requires: { need }, provides: { paper } }),
    plugin('b', { requires: { ink: paper }, provides: { line } }),
  )
  expect(problems).toHaveLength(1)
  expect(problems[0]).toMatchObject({ code: 'DEPENDENCY_CYCLE', plugin: 'a' })
  expect(problems[0]?.message).toContain('a -> b -> a')
})

test('an instance bound to itself is the shortest cycle', async () => {
  const [problem] = await check(plugin('a', { requires: { line }, provides: { line }, place: { bind: { line: 'a' } } }))
  expect(problem?.message).toContain('a -> a')
})

test.each([
  ['a factory that was not called', () => plugin('x'), 'Call it'],
  ['nothing', undefined, 'List what a plugin factory returns'],
  ['a definition without setup', { definition: { name: 'x', contract: 1 }, placement: {} }, 'definePlugin'],
  [
    'options that are no schema',
    { definition: { name: 'x', contract: 1, setup() {}, options: {} }, placement: {} },
    'definePlugin',
  ],
])('%s is a problem with a mend', async (_, listed, mend) => {
  const [problem] = await check(listed)
  expect(problem).toMatchObject({ code: 'CONFIG_INVALID', mend: expect.stringContaining(mend) })
})
