import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { readRequests } from '../src/cli/cache/read-requests.ts'
import { switchyardProgram } from '../src/cli/program.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchyard-cache-evaluate-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))
afterEach(() => {
  vi.restoreAllMocks()
  process.exitCode = 0
})

const file = async (name: string, text: string): Promise<string> => {
  const path = join(folder, name)
  await writeFile(path, text)
  return path
}

describe('switchyard cache evaluate', () => {
  test('names the line and the field that is wrong', async () => {
    await expect(readRequests(join(folder, 'none'), 'text', 'label')).rejects.toThrow(/cannot be read/)
    await expect(readRequests(await file('empty.jsonl', '\n'), 'text', 'label')).rejects.toThrow(/holds no request/)
    await expect(readRequests(await file('broken.jsonl', '{"text":'), 'text', 'label')).rejects.toThrow(
      /line 1: .*one JSON object a line/,
    )
    const good = '{"text":"a","label":"x"}\n'
    await expect(readRequests(await file('text.jsonl', `${good}{"label":"x"}`), 'text', 'label')).rejects.toThrow(
      /line 2: "text".*--text/,
    )
    await expect(readRequests(await file('label.jsonl', '{"text":"a"}'), 'text', 'label')).rejects.toThrow(
      /line 1: "label".*--labels/,
    )
    await expect(readRequests(await file('list.jsonl', '1'), 'text', 'label')).rejects.toThrow(/line 1 is no JSON object/)
  })

  test('prints hits, both errors and the ceiling, exact repeats apart, and writes the rows', async () => {
    const lines = Array.from({ length: 300 }, (_, at) =>
      JSON.stringify({ q: `question ${at % 100} of many`, answer: at % 100 }),
    )
    const data = await file('requests.jsonl', lines.join('\n'))
    const json = join(folder, 'rows.json')
    const said: string[] = []
    vi.spyOn(console, 'log').mockImplementation((text: string) => void said.push(text))
    vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    const args = [
      '--data',
      data,
      '--text',
      'q',
      '--labels',
      'answer',
      '--order',
      'given',
      '--epsilon',
      '0.01',
      '0.03',
      '--json',
      json,
    ]
    await switchyardProgram().parseAsync(['node', 'switchyard', 'cache', 'evaluate', ...args])
    expect(said.join('\n')).toMatch(/HITS +ERR\/ALL +ERR\/HITS +CEILING/)
    const { rows } = JSON.parse(await readFile(json, 'utf8')) as { rows: readonly Record<string, unknown>[] }
    expect(rows.map(({ policy, epsilon }) => `${policy} ${epsilon}`)).toEqual([
      'audited 0.01',
      'audited 0.03',
      'static-hindsight 0.01',
      'static-hindsight 0.03',
    ])
    expect(rows[0]).toMatchObject({ set: 'requests', orders: 1, errorOfAll: 0, errorOfHits: 0, held: true })
    expect(rows[0]?.hitRate).toBeCloseTo(2 / 3)
    expect(rows[0]?.ceiling).toBeCloseTo(2 / 3)
  })

  test('a failure is told without a stack', async () => {
    const failed = vi.spyOn(console, 'error').mockReturnValue()
    await switchyardProgram().parseAsync(['node', 'switchyard', 'cache', 'evaluate', '--data', join(folder, 'none')])
    expect(failed.mock.calls.join()).toMatch(/CONFIG_INVALID: .*cannot be read/)
    expect(process.exitCode).toBe(1)
  })
})
