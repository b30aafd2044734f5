import type { SetupContext } from '@switchyard/contract'
import type { RouteOptions, RoutingOptions } from '../options.ts'
import { Sessions } from '../session/sessions.ts'
import { ArmGuard } from './arm-guard.ts'
import { openArtefact } from './artefact-file.ts'
import type { Guided } from './guided.ts'
import { Shadow } from './shadow.ts'

type Context = Pick<SetupContext<RoutingOptions, unknown>, 'options' | 'instance' | 'clock' | 'log' | 'emit' | 'onClose'>

/** Strategies whose first target is the better one, not the cheaper. */
const BY_QUALITY: ReadonlySet<string> = new Set(['learned', 'quality-per-price'])

/** Opens what the routes need beyond a ranking, by route; routes without such a wish are not among them. Closed with the plugin. */
export async function openGuides(ctx: Context): Promise<ReadonlyMap<string, Guided>> {
  const guides = new Map<string, Guided>()
  for (const [name, route] of Object.entries(ctx.options.routes)) {
    const { session, baseline, learned } = route
    if (session === undefined && baseline === undefined && learned === undefined) continue
    guides.set(name, await open(ctx, name, route))
  }
  return guides
}

async function open(ctx: Context, name: string, options: RouteOptions): Promise<Guided> {
  const { clock, log, onClose } = ctx
  const { session, baseline, controlPercent = 0, learned: settings } = options
  const shadow = shadowOf(ctx, name, options)
  const file =
    settings === undefined
      ? undefined
      : await openArtefact({
          path: settings.artefact,
          reloadMs: settings.reloadMs,
          clock,
          log,
          onReload: () => shadow?.guard.clear(),
        })
  onClose(() => {
    file?.close()
    shadow?.close()
  })
  return {
    sessions: session === undefined ? undefined : new Sessions(session),
    baseline,
    controlPercent,
    learned: file === undefined || settings === undefined ? undefined : { file, settings },
    shadow,
    quality: BY_QUALITY.has(options.strategy),
  }
}

function shadowOf({ instance, clock, log, emit }: Context, route: string, { shadow }: RouteOptions): Shadow | undefined {
  if (shadow === undefined) return undefined
  const { minAgreement: target, risk } = shadow
  return new Shadow({
    settings: shadow,
    guard: new ArmGuard({ target, risk }),
    clock,
    log,
    onOff(taskClass, arm, { pairs, agreed, upperBound }) {
      const agreement = agreed / pairs
      log.warn({ route, taskClass, arm, pairs, agreement }, 'an arm falls short of the reference and was turned off')
      emit('arm:off', { plugin: instance, route, taskClass, arm, pairs, agreement, upperBound, target })
    },
  })
}
