import assert from 'node:assert/strict'
import { type ModelCard, type Router, router } from '@switchyard/contract'
import type { ConformanceCase, Mutant, Suite } from '../../conformance/suite.ts'

const cases: readonly ConformanceCase<Router>[] = [
  {
    id: 'router.routes.unique-ids',
    promise: 'every public name is listed once',
    async check({ instance }) {
      const ids = instance.routes().map(({ id }) => id)
      assert.equal(new Set(ids).size, ids.length, `listed: ${ids.join(', ')}`)
    },
  },
  {
    id: 'router.routes.no-model-names',
    promise: 'no public name is empty or of the form provider/model, so that none hides a model',
    async check({ instance }) {
      for (const { id } of instance.routes()) assert.match(id, /^[^/\s]+$/)
    },
  },
  {
    id: 'router.routes.owned',
    promise: 'every card says who owns it, as lists of models show it',
    async check({ instance }) {
      for (const { id, ownedBy } of instance.routes()) assert.ok(ownedBy !== '', `${id} is owned by nobody`)
    },
  },
  {
    id: 'router.routes.stable',
    promise: 'asked again, it lists the same names in the same order, and has at least one',
    async check({ instance }) {
      const ids = instance.routes().map(({ id }) => id)
      assert.ok(ids.length > 0, 'a subject for this suite needs a route')
      assert.deepEqual(
        instance.routes().map(({ id }) => id),
        ids,
      )
    },
  },
]

/** A router that lists otherwise than a right one. */
function mutant(
  name: string,
  killedBy: string,
  change: (cards: readonly ModelCard[], asked: number) => readonly ModelCard[],
): Mutant<Router> {
  return {
    name,
    killedBy,
    mutate(instance) {
      let asked = 0
      return { routes: () => change(instance.routes(), asked++) }
    },
  }
}

const mutants: readonly Mutant<Router>[] = [
  mutant('lists-a-name-twice', 'router.routes.unique-ids', (cards) => [...cards, ...cards.slice(0, 1)]),
  mutant('hides-a-model', 'router.routes.no-model-names', (cards) => [{ id: 'openai/gpt', ownedBy: 'x' }, ...cards]),
  mutant('lists-an-empty-name', 'router.routes.no-model-names', (cards) => [{ id: '', ownedBy: 'x' }, ...cards]),
  mutant('names-no-owner', 'router.routes.owned', (cards) => cards.map((card) => ({ ...card, ownedBy: '' }))),
  mutant('turns-the-order', 'router.routes.stable', (cards, asked) =>
    asked % 2 === 0 ? [{ id: 'extra', ownedBy: 'x' }, ...cards] : [...cards, { id: 'extra', ownedBy: 'x' }],
  ),
  mutant('lists-nothing', 'router.routes.stable', () => []),
]

/** What all routers promise, and routers that break each promise. */
export const routerSuite: Suite<Router> = { port: router, cases, mutants }
