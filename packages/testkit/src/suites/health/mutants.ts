import type { Health, TargetHealth } from '@switchyard/contract'
import type { Mutant } from '../../conformance/suite.ts'
import { ENABLED } from './changes.ts'
import { mutant, tells } from './wrap.ts'

const anyway = { by: 'nobody', reason: 'none' }

export const healthMutants: readonly Mutant<Health>[] = [
  mutant('unknown-is-out', 'health.of.unknown-is-healthy', (right) =>
    tells(right, (known) => (known.state === 'healthy' ? { ...known, weight: 0 } : known)),
  ),
  mutant('claims-what-it-never-saw', 'health.of.unknown-is-healthy', (right) =>
    tells(right, (known) => ({ ...known, successRate: known.successRate ?? 1 })),
  ),
  mutant('remembers-questions', 'health.of.asking-adds-nothing', (right) => {
    const asked = new Map<string, TargetHealth>()
    return {
      of(deployment) {
        asked.set(deployment, right.of(deployment))
        return right.of(deployment)
      },
      list: () => [...right.list(), ...asked.values()],
    }
  }),
  mutant('gives-its-own-object', 'health.of.keeps-what-it-gave', (right) => {
    const given = new Map<string, TargetHealth>()
    return {
      of(deployment) {
        const own = given.get(deployment) ?? { ...right.of(deployment) }
        given.set(deployment, own)
        return Object.assign(own, right.of(deployment))
      },
      async disable(deployment, change) {
        await right.disable(deployment, change)
        Object.assign(given.get(deployment) ?? {}, right.of(deployment))
      },
    }
  }),
  mutant('lists-as-they-came', 'health.list.by-name', (right) => {
    const came: string[] = []
    return {
      async disable(deployment, change) {
        await right.disable(deployment, change)
        if (!came.includes(deployment)) came.push(deployment)
      },
      list: () => came.map((deployment) => right.of(deployment)),
    }
  }),
  mutant('lists-by-language', 'health.list.by-name', (right) => ({
    list: () => right.list().toSorted((a, b) => a.deployment.localeCompare(b.deployment, 'en')),
  })),
  mutant('lists-without-reasons', 'health.list.by-name', (right) => ({
    list: () => right.list().map((known) => ({ ...known, reason: '' })),
  })),
  mutant('oldest-first', 'health.history.newest-first', (right) => ({
    history: (deployment) => right.history(deployment).toReversed(),
  })),
  mutant('knows-the-last-change-only', 'health.history.newest-first', (right) => ({
    history: (deployment) => right.history(deployment).slice(0, 1),
  })),
  mutant('forgets-who-it-was', 'health.history.newest-first', (right) => ({
    history: (deployment) => right.history(deployment).map((change) => ({ ...change, by: undefined })),
  })),
  mutant('tells-time-in-seconds', 'health.history.newest-first', (right) => ({
    history: (deployment) => right.history(deployment).map((change) => ({ ...change, at: Math.floor(change.at / 1000) })),
  })),
  mutant('one-history-for-all', 'health.history.of-each-its-own', (right) => ({
    history: () => right.list().flatMap(({ deployment }) => right.history(deployment)),
  })),
  mutant('disables-in-name-only', 'health.disable.takes-out', (right) =>
    tells(right, (known) => (known.state === 'disabled' ? { ...known, weight: 1 } : known)),
  ),
  mutant('disables-nothing', 'health.disable.takes-out', () => ({ disable: async () => {} })),
  mutant('tells-no-reason', 'health.disable.takes-out', (right) => tells(right, (known) => ({ ...known, reason: '' }))),
  mutant('since-ever', 'health.disable.takes-out', (right) => tells(right, (known) => ({ ...known, since: 0 }))),
  mutant('disables-for-a-while', 'health.disable.stays', (right, opened) => {
    let until = Number.POSITIVE_INFINITY
    return {
      async disable(deployment, change) {
        await right.disable(deployment, change)
        until = opened.now() + 300
      },
      ...tells(right, (known) => (opened.now() >= until ? { ...known, state: 'healthy', weight: 1 } : known)),
    }
  }),
  mutant('counts-disables', 'health.disable.again', (right) => {
    let times = 0
    return {
      async disable(deployment, change) {
        times += 1
        await right.disable(deployment, change)
      },
      async enable(deployment, change) {
        times -= 1
        if (times <= 0) await right.enable(deployment, change)
      },
    }
  }),
  mutant('disables-anew', 'health.disable.again', (right) => ({
    async disable(deployment, change) {
      if (right.of(deployment).state === 'disabled') await right.enable(deployment, ENABLED)
      await right.disable(deployment, change)
    },
  })),
  mutant('disables-for-nobody', 'health.disable.says-by-whom-and-why', (right) => ({
    disable: (deployment, { by, reason }) =>
      right.disable(deployment, { by: by || anyway.by, reason: reason || anyway.reason }),
  })),
  mutant('disables-nameless', 'health.disable.says-by-whom-and-why', (right) => ({
    disable: (deployment, change) => right.disable(deployment || 'none', change),
  })),
  mutant('enables-slowly', 'health.enable.full-weight', (right) => {
    const enabled = new Set<string>()
    return {
      async enable(deployment, change) {
        await right.enable(deployment, change)
        enabled.add(deployment)
      },
      ...tells(right, (known) => (enabled.has(known.deployment) ? { ...known, weight: 0.1 } : known)),
    }
  }),
  mutant('enables-nothing', 'health.enable.full-weight', () => ({ enable: async () => {} })),
  mutant('enables-all', 'health.enable.only-that-one', (right) => ({
    async enable(_deployment, change) {
      for (const { deployment } of right.list()) await right.enable(deployment, change)
    },
  })),
  mutant('notes-every-enable', 'health.enable.healthy-stays', (right) => {
    const noted = new Set<string>()
    return {
      async enable(deployment, change) {
        await right.enable(deployment, change)
        noted.add(deployment)
      },
      history: (deployment) =>
        noted.has(deployment)
          ? [{ deployment, from: 'healthy', to: 'healthy', reason: '', at: 0 }, ...right.history(deployment)]
          : right.history(deployment),
    }
  }),
  mutant('enables-for-nobody', 'health.enable.says-by-whom-and-why', (right) => ({
    enable: (deployment, { by, reason }) => right.enable(deployment, { by: by || anyway.by, reason: reason || anyway.reason }),
  })),
]
