import type { SetupContext } from '@switchyard/contract'
import type { RouteOptions, RoutingOptions } from '../options.ts'
import { Sessions } from '../session/sessions.ts'
import { ArmGuards } from './arm-guard.ts'
import { openArtefact } from './artefact-file.ts'
import type { Guided } from './guided.ts'
import type { ShadowSettings } from './options.ts'
import { Shadow } from './shadow.ts'

type Context = Pick<SetupContext<RoutingOptions, unknown>, 'options' | 'instance' | 'clock' | 'log' | 'emit' | 'onClose'>

/** Strategies whose first target is the better one, not the cheaper. */
const BY_QUALITY: ReadonlySet<string> = new Set(['learned', 'quality-per-price'])

/** Without pairs there is nothing to hold an arm to; the likeness of the traffic is watched all the same. */
const NO_SHADOW = { minAgreement: 0.9, risk: 0.05 }

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
  const { session, baseline, controlPercent = 0, learned: settings, shadow: shadowing } = options
  const guided = {
    sessions: session === undefined ? undefined : new Sessions(session),
    baseline,
    controlPercent,
    quality: BY_QUALITY.has(options.strategy),
  }
  if (settings === undefined) return { ...guided, learned: undefined, guards: undefined, shadow: undefined }
  let guards: ArmGuards | undefined
  const { artefact: path, reloadMs } = settings
  const file = await openArtefact({ path, reloadMs, clock, log, onReload: ({ artefact }) => guards?.renew(artefact.norm) })
  onClose(() => file.close())
  const { minAgreement: target, risk } = shadowing ?? NO_SHADOW
  guards = new ArmGuards({ target, risk }, file.current().artefact.norm)
  const shadow = shadowing === undefined ? undefined : shadowOf(ctx, name, shadowing, guards)
  onClose(() => shadow?.close())
  return { ...guided, learned: { file, settings }, guards, shadow }
}

function shadowOf({ instance, clock, log, emit }: Context, route: string, settings: ShadowSettings, guards: ArmGuards): Shadow {
  return new Shadow({
    settings,
    guards,
    clock,
    log,
    onOff(taskClass, arm, { pairs, agreed, upperBound }) {
      const agreement = agreed / pairs
      log.warn({ route, taskClass, arm, pairs, agreement }, 'an arm falls short of the reference and was turned off')
      const target = settings.minAgreement
      emit('arm:off', { plugin: instance, route, taskClass, arm, pairs, agreement, upperBound, target })
    },
  })
}
