import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { decider, parseArtefact } from '@switchyard/routing/learned'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { cli } from './support/cli.ts'
import { type TemporaryFolder, temporaryFolder } from './support/folder.ts'

let folder: TemporaryFolder
beforeEach(async () => {
  folder = await temporaryFolder()
})
afterEach(() => folder.remove())

const run = (args: string): ReturnType<typeof cli> => cli(args.split(' '), folder.path, {})
const PRICES = { strong: [10_000_000, 10_000_000], cheap: [100_000, 100_000] }
const EASY = [
  'sort names by length',
  'count red apples',
  'translate good morning',
  'list spring months',
  'spell out seven',
  'rhyme with blue',
]
const HARD = [
  'prove compactness here',
  'bound that operator norm',
  'derive functor laws',
  'classify finite groups',
  'integrate exotic forms',
  'factor giant primes',
]

/** Cheap is right on easy prompts alone; strong on nine of ten of either. */
const rows = (count: number): string =>
  Array.from({ length: count }, (_, row) => {
    const hard = row % 2 === 1
    const strong = row % 10 < 8 || row % 20 === 8 ? 1 : 0
    return JSON.stringify({
      id: row,
      prompt: `${(hard ? HARD : EASY)[row % 6]} ${row % 37}`,
      split: row % 4 < 2 ? 'train' : 'test',
      m: { strong: [strong, 40], cheap: [hard ? 0 : strong, 40] },
    })
  }).join('\n')

const file = (path: string): Promise<string> => readFile(join(folder.path, path), 'utf8')

describe('switchyard route fit', () => {
  test('writes an artefact that decides, and its curve as SVG; progress goes to stderr', async () => {
    await folder.write('set.jsonl', rows(800))
    await folder.write('datasets.json', JSON.stringify({ set: { reference: 'strong', prices: PRICES } }))
    const { out, err, code } = await run('route fit --data . --target-quality 0.98 --out router.json --report curve.svg')
    expect(code).toBe(0)
    expect(out).toMatch(/800 prompts of set, measured against strong; target 98\.0 %/)
    expect(out).toMatch(/Held out: \d\d\.\d % saved/)
    expect(err).toMatch(/Holding out fold 5 of 5/)
    const artefact = parseArtefact(JSON.parse(await file('router.json')))
    const decide = decider(artefact)
    expect(decide({ prompt: `${EASY[2]} 5` }).arm.id).toBe('cheap')
    expect(decide({ prompt: `${HARD[3]} 6` }).arm.id).toBe('strong')
    const svg = await file('curve.svg')
    for (const part of [
      '<svg',
      "saved, % of the reference's cost",
      "quality, % of the reference's",
      'target 98 %',
      'prefers-color-scheme',
    ])
      expect(svg).toContain(part)
    expect(svg).not.toMatch(/NaN|Infinity/)
  })

  test.each([
    ['route fit --data set.jsonl --target-quality 0.99', /states the prices of the models in set\.jsonl.*--prices FILE/],
    ['route fit --data set.csv --target-quality 0.99 --prices prices.json', /set\.csv is no file of outcomes/],
    ['route fit --data none.jsonl --target-quality 0.99', /There is no none\.jsonl/],
    [
      'route fit --data set.jsonl --target-quality 0.99 --prices prices.json --reference other',
      /no price of its reference other/,
    ],
    ['route fit --data set.jsonl --target-quality 9', /Give a share such as 0\.99/],
    ['route fit --data set.jsonl', /--target-quality/],
    ['route fit --data set.jsonl --target-quality 0.9 --margin -1', /Give a number from 0/],
  ])('%s is refused with the mend', async (args, message) => {
    await folder.write('set.jsonl', rows(20))
    await folder.write('set.csv', '')
    await folder.write('prices.json', JSON.stringify(PRICES))
    const { err, code } = await run(args)
    expect(code).toBe(1)
    expect(err).toMatch(message)
  })
})

describe('switchyard route evaluate', () => {
  test('routes another file by what one taught, in the rows of the bench', async () => {
    await folder.write('one.jsonl', rows(800))
    await folder.write('two.jsonl', rows(200))
    await folder.write('prices.json', JSON.stringify(PRICES))
    const args = '--train one.jsonl --test two.jsonl --prices prices.json --target-quality 0.95 --json rows.json'
    const { out, code } = await run(`route evaluate ${args}`)
    expect(code).toBe(0)
    expect(out).toMatch(/SET +learned +always-strong +always-cheap +random-mix +static-best +oracle/)
    const { rows: found } = JSON.parse(await file('rows.json')) as { readonly rows: readonly Record<string, unknown>[] }
    expect(found.map(({ set, strategy }) => `${set}/${strategy}`)).toContain('macro/learned')
    const learned = found.find(({ set, strategy }) => set === 'two' && strategy === 'learned')
    expect(Object.keys(learned ?? {})).toEqual(['set', 'strategy', 'targetQuality', 'quality', 'saved', 'worstQuality'])
    expect(learned?.quality).toBeGreaterThan(0.94)
    expect(learned?.saved).toBeGreaterThan(0.3)
  })

  test('the same file on both sides is split by its halves', async () => {
    await folder.write('one.jsonl', rows(800))
    await folder.write('prices.json', JSON.stringify(PRICES))
    const { out, err } = await run('route evaluate --train one.jsonl --test one.jsonl --prices prices.json')
    expect(err).toMatch(/one: 400 rows to learn from, 400 to route/)
    expect(out).toMatch(/Target 98\.0[\s\S]*Target 99\.0[\s\S]*Target 100\.0/)
  })

  test('files of two references do not make one router', async () => {
    for (const name of ['one', 'two']) await folder.write(`${name}.jsonl`, rows(60))
    const entry = (reference: string): object => ({ reference, prices: PRICES })
    await folder.write('datasets.json', JSON.stringify({ one: entry('strong'), two: entry('cheap') }))
    const { err, code } = await run('route evaluate --train one.jsonl two.jsonl --test one.jsonl')
    expect(code).toBe(1)
    expect(err).toMatch(/one is measured against strong and two against cheap/)
  })
})
