import { type Health, type HealthChange, SwitchyardError } from '@switchyard/contract'

/** The port in the plainest way: persons' changes, from which everything else follows. */
export function plainHealth(now: () => number): Health {
  let changes: readonly HealthChange[] = []
  const since = now()
  const history = (deployment: string): readonly HealthChange[] => changes.filter((change) => change.deployment === deployment)
  const of: Health['of'] = (deployment) => {
    const [last] = history(deployment)
    const state = last?.to ?? 'healthy'
    return {
      deployment,
      state,
      since: last?.at ?? since,
      reason: last?.reason ?? '',
      weight: state === 'disabled' ? 0 : 1,
      inFlight: 0,
      firstTokenMs: undefined,
      successRate: undefined,
    }
  }
  async function change(deployment: string, to: 'disabled' | 'healthy', given: { by: string; reason: string }): Promise<void> {
    if (deployment === '' || given.by === '' || given.reason === '')
      throw new SwitchyardError('INVALID_REQUEST', 'say all of it')
    const { state: from } = of(deployment)
    if (from !== to) changes = [{ deployment, from, to, ...given, at: now() }, ...changes]
  }
  return {
    capabilities: { shared: false },
    of,
    list: () => [...new Set(changes.map(({ deployment }) => deployment))].sort().map(of),
    history,
    disable: (deployment, given) => change(deployment, 'disabled', given),
    enable: (deployment, given) => change(deployment, 'healthy', given),
  }
}
