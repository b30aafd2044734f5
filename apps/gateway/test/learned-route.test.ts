import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { budget, ledger as ledgerPort } from '@switchyard/budget'
import { cacheMemory } from '@switchyard/cache-memory'
import { sqlite } from '@switchyard/connector-sqlite'
import { type ModelReply, type SqlDatabase, sql } from '@switchyard/contract'
import { resilience } from '@switchyard/resilience'
import { routing } from '@switchyard/routing'
import { dataHashOf, fitRouter, parseDatasetSpec, parseOutcomes, routerArtefact } from '@switchyard/routing/learned'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { modelCatalog } from '../src/catalog/plugin.ts'
import { type TemporaryFolder, temporaryFolder } from './support/folder.ts'
import { type TestGateway, testGateway } from './support/gateway.ts'
import { stubProvider } from './support/stub-provider.ts'

const MODELS = ['own/strong', 'own/a', 'own/b'] as const
const CASCADE = 'agree(own/a, own/b) -> own/strong'

/** A fitted artefact whose policy is one arm. */
function artefact(): string {
  const prices = { 'own/strong': [10e6, 10e6], 'own/a': [1e5, 1e5], 'own/b': [2e5, 2e5] }
  const spec = parseDatasetSpec('d', { answer: 'label', reference: 'own/strong', out: 5, prices })
  const lines = Array.from({ length: 80 }, (_, row) =>
    JSON.stringify({
      id: `${row}`,
      prompt: `which letter ${row} ${row % 7}`,
      split: 'train',
      m: Object.fromEntries(MODELS.map((model) => [model, [1, 5, 'A']])),
    }),
  )
  const set = parseOutcomes('d', spec, lines)
  const fitted = fitRouter(
    set,
    set.rows.map((_, row) => row),
  )
  const made = routerArtefact(set, fitted, 0.98, { createdAt: '2026-11-01T00:00:00.000Z', dataHash: dataHashOf(set) })
  const arm = made.arms.findIndex(({ id }) => id === CASCADE)
  const calibration = { ...made.calibration, saved: 0.5, policy: { kind: 'arm', arm, share: 1, lambda: 0 } }
  return JSON.stringify({ ...made, leastEvidence: 0, norm: { mean: 0, deviation: 0 }, calibration })
}

let folder: TemporaryFolder
let node: TestGateway
let answers: Record<string, string>
beforeEach(async () => {
  folder = await temporaryFolder()
  answers = { 'own/a': 'A', 'own/b': 'A', 'own/strong': 'S' }
  const path = join(folder.path, 'router.json')
  const overrides = join(folder.path, 'prices.json')
  await writeFile(path, artefact())
  await writeFile(
    overrides,
    JSON.stringify(MODELS.map((model, at) => ({ model, from: '2026-01-01', input: 1 + at, output: 2 + at }))),
  )
  node = await testGateway([
    routing({
      routes: {
        letters: {
          strategy: 'learned',
          targets: MODELS,
          baseline: 'own/strong',
          learned: { artefact: path, answer: 'label' },
        },
      },
    }),
    resilience(),
    modelCatalog({ overrides, dataDir: folder.path }),
    cacheMemory(),
    sqlite({ path: join(folder.path, 'ledger.db') }),
    stubProvider({
      name: 'own',
      async invoke({ model }): Promise<ModelReply> {
        const message = { role: 'assistant', content: answers[model] }
        return {
          status: 200,
          headers: { 'content-type': 'application/json' },
          body: Buffer.from(JSON.stringify({ choices: [{ index: 0, message, finish_reason: 'stop' }] })),
          ended: Promise.resolve({
            outcome: 'complete',
            usage: { inputTokens: 10, outputTokens: 5 },
            usageSource: 'reported',
            finishReason: 'stop',
          }),
        }
      },
    }),
    budget(),
  ])
})
afterEach(async () => {
  await node.close()
  await folder.remove()
})

async function ask(): Promise<{ readonly said: string; readonly headers: Headers }> {
  const reply = await fetch(`${node.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-switchyard-trace': '1' },
    body: JSON.stringify({ model: 'letters', messages: [{ role: 'user', content: 'which letter 3 3' }] }),
  })
  const body = (await reply.json()) as { choices: { message: { content: string } }[] }
  return { said: body.choices[0]?.message.content as string, headers: reply.headers }
}
async function ledger(): Promise<readonly Record<string, unknown>[]> {
  for (const books of node.gateway.kernel.all(ledgerPort).values()) await books.flush()
  const [database] = node.gateway.kernel.all(sql).values() as Iterable<SqlDatabase> as unknown as [SqlDatabase]
  const { rows } = await database.query(
    'SELECT model, purpose, arm, task_class, baseline_model FROM switchyard_ledger ORDER BY model',
  )
  return rows
}
const row = (model: string, purpose: string | null): Record<string, unknown> =>
  expect.objectContaining({ model, purpose, arm: CASCADE, task_class: 'label', baseline_model: 'own/strong' })

describe('a cascade through the whole gateway', () => {
  test('that agrees: one attempt and one row in the ledger each, and the served model in the reply’s headers', async () => {
    const { said, headers } = await ask()
    expect(said).toBe('A')
    expect(headers.get('x-switchyard-attempts')).toBe('2')
    expect(headers.get('x-switchyard-target')).toMatch(/^own\/own\/[ab]$/)
    expect(headers.get('x-switchyard-trace')).toContain('cascade-accepted')
    expect(await ledger()).toEqual([row('own/a', 'cascade'), row('own/b', 'cascade')])
  })

  test('that differs: the strong one answers, as the client’s own call', async () => {
    answers['own/b'] = 'B'
    const { said, headers } = await ask()
    expect(said).toBe('S')
    expect(headers.get('x-switchyard-attempts')).toBe('3')
    expect(headers.get('x-switchyard-target')).toBe('own/own/strong')
    expect(await ledger()).toEqual([row('own/a', 'cascade'), row('own/b', 'cascade'), row('own/strong', null)])
  })

  test('is told by explain without a call', async () => {
    const reply = await fetch(`${node.url}/v1/explain`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'letters', messages: [{ role: 'user', content: 'which letter 3 3' }] }),
    })
    const { decisions } = (await reply.json()) as { decisions: { decision: string; because: unknown }[] }
    expect(decisions.find(({ decision }) => decision === 'arm')?.because).toMatchObject({ arm: CASCADE, thin: false })
    expect(decisions.find(({ decision }) => decision === 'would-ask-first')?.because).toMatchObject({ check: 'agree' })
    expect(await ledger()).toEqual([])
  })
})
