import { type Ending, type HealthChange, SwitchyardError } from '@switchyard/contract'
import { processBus, virtualClock } from '@switchyard/testkit'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Attempt, type Node, settle, startNode, unavailable } from './support/node.ts'

const NAMES = ['p/a', 'p/b', 'p/c']
const WHO = { by: 'ada', reason: 'because' }

const limited = new SwitchyardError('RATE_LIMITED', 'wait', { retryAfterMs: 3_000 })
const aborted = new SwitchyardError('ABORTED', 'left')
const cut: Ending = { outcome: 'truncated', error: new SwitchyardError('UPSTREAM_TRUNCATED', 'cut') }

const node = fc.nat(1)
const name = fc.constantFrom(...NAMES)
const command = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('start' as const),
      node,
      name,
      route: fc.constantFrom('x', 'y'),
      stream: fc.boolean(),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('settle' as const),
      which: fc.nat(40),
      how: fc.constantFrom('well', 'well', 'down', 'down', 'down', 'cut', 'limited', 'left'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('fail' as const), node, name, times: fc.integer({ min: 1, max: 7 }) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.constantFrom(10, 500, 5_000, 40_000) }) },
  fc.record({ kind: fc.constant('decide' as const), node, name, off: fc.boolean() }),
  fc.record({ kind: fc.constant('lose' as const), messages: fc.boolean() }),
)

interface Open {
  readonly attempt: Attempt
  readonly at: Node
  readonly name: string
  readonly stream: boolean
}

async function end({ attempt, stream }: Open, how: string): Promise<void> {
  if (how === 'down') return attempt.reject(unavailable)
  if (how === 'limited') return attempt.reject(limited)
  if (how === 'left') return attempt.reject(aborted)
  await attempt.reply(stream || how === 'cut' ? 'lasting' : undefined)
  if (stream || how === 'cut') await attempt.end(how === 'cut' ? cut : { outcome: 'complete' })
}

/** What holds at any moment, whatever happened. */
function check({ health, started }: Node, open: readonly Open[]): void {
  const list = health.list()
  const serving = list.filter(({ state }) => state !== 'ejected' && state !== 'disabled')
  const out = list.filter(({ state }) => state === 'ejected')
  for (const known of list) {
    expect(known.inFlight).toBe(open.filter((one) => one.name === known.deployment).length)
    expect(known.weight).toBeGreaterThanOrEqual(0)
    expect(known.weight).toBeLessThanOrEqual(1)
    expect(known.weight === 0).toBe(known.state === 'ejected' || known.state === 'disabled')
    const changes = health.history(known.deployment)
    expect(changes[0]?.to ?? 'healthy').toBe(known.state)
    for (const [at, change] of changes.entries()) {
      expect(change.from).not.toBe(change.to)
      expect(change.reason).not.toBe('')
      const before = changes[at + 1]
      if (before !== undefined) {
        expect(change.from).toBe(before.to)
        expect(change.at).toBeGreaterThanOrEqual(before.at)
      }
    }
  }
  // A person may take out what is left; health by itself never takes the last.
  const last = started.emitted.at(-1)?.payload as HealthChange | undefined
  if (out.length > 0 && serving.length === 0)
    expect(list.some(({ state }) => state === 'disabled') || last?.by !== undefined).toBe(true)
}

test('whatever happens at two nodes: books are right, the last of a pool serves, verdicts agree, nothing is left over', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 5, maxLength: 80 }), async (commands) => {
      const clock = virtualClock()
      const bus = processBus()
      const nodes = [await startNode({ clock, bus }), await startNode({ clock, bus })] as const
      const open: Open[] = []
      const off = new Map<string, boolean>()
      for (const one of commands) {
        if (one.kind === 'start') {
          const at = nodes[one.node] as Node
          const given = { deployment: one.name, route: one.route, stream: one.stream }
          open.push({ attempt: at.attempt(given), at, name: one.name, stream: one.stream })
        } else if (one.kind === 'settle') {
          const [chosen] = open.splice(one.which % Math.max(1, open.length), 1)
          if (chosen !== undefined) await end(chosen, one.how)
        } else if (one.kind === 'fail') await (nodes[one.node] as Node).bad(one.times, { deployment: one.name, route: 'x' })
        else if (one.kind === 'advance') await clock.advance(one.ms)
        else if (one.kind === 'lose') bus.carries = one.messages
        else {
          // A verdict later than all others that were made, as a person's is.
          await clock.advance(1)
          const { health } = nodes[one.node] as Node
          await (one.off ? health.disable(one.name, WHO) : health.enable(one.name, WHO))
          off.set(one.name, one.off)
        }
        await settle()
        for (const at of nodes)
          check(
            at,
            open.filter((each) => each.at === at),
          )
      }
      bus.carries = true
      for (const one of open.splice(0)) await end(one, 'well')
      await clock.advance(1_000)
      for (const { good } of nodes) await good(1, { deployment: 'p/z' })
      await clock.advance(61_000)
      for (const [each, disabled] of off) {
        // An enable that the other node missed is told it only when that one speaks of the disable, which it does while it holds.
        for (const { health } of nodes) expect(health.of(each).state === 'disabled').toBe(disabled)
      }
      for (const { health } of nodes) for (const { inFlight } of health.list()) expect(inFlight).toBe(0)
      for (const { started } of nodes) await started.close()
      expect(clock.pending()).toBe(0)
    }),
    { numRuns: 150 },
  )
}, 60_000)
