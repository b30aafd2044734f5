import { type Secret, SwitchyardError, secret } from '@switchyard/contract'
import { systemClock } from '@switchyard/kernel'
import { orFailOnData } from '../route/failing.ts'
import { progressBar } from './progress-bar.ts'
import { type Warming, warmAll } from './warm-all.ts'
import { type WarmGateway, warmGateway } from './warm-gateway.ts'
import { type WarmList, type WarmListOptions, warmList } from './warm-list.ts'
import { listText, warmingText } from './warm-text.ts'

/** What `switchyard cache warm` is asked. */
export interface WarmOptions extends WarmListOptions {
  readonly url: string
  readonly concurrency: number
  readonly dryRun: boolean
  readonly json: boolean
}

const INTERRUPTED = 130

/** `switchyard cache warm`: sends each distinct request of a log that a cache would keep to a gateway that runs, once. */
export async function cacheWarm(options: WarmOptions): Promise<void> {
  await orFailOnData(async () => {
    const say = progressBar()
    let list: WarmList
    try {
      list = await warmList(options, (share) => say('reading', share))
    } finally {
      say.done()
    }
    if (options.dryRun) {
      console.log(options.json ? json({ dryRun: true, ...list }) : listText(list))
      return
    }
    const gateway = warmGateway(options.url, keyFrom(process.env))
    const warming = await interruptible((signal) => send(list, gateway, options.concurrency, signal))
    console.log(options.json ? json({ dryRun: false, ...list, ...warming }) : warmingText(list, warming))
    if (warming.stopped?.code === 'interrupted') process.exitCode = INTERRUPTED
    else if (warming.stopped !== undefined || warming.failed > 0) process.exitCode = 1
  })
}

async function send(list: WarmList, gateway: WarmGateway, concurrency: number, signal: AbortSignal): Promise<Warming> {
  const say = progressBar()
  try {
    return await warmAll({
      requests: list.each(),
      gateway,
      concurrency,
      signal,
      clock: systemClock,
      progress: (done, waiting) => say(`${done} of ${list.chosen}${waiting === '' ? '' : `, ${waiting}`}`, done / list.chosen),
    })
  } finally {
    say.done()
    await gateway.close()
  }
}

/** Runs until it is done, or the first Ctrl-C. */
async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController()
  const onSignal = (): void => stop.abort(new SwitchyardError('ABORTED', 'interrupted'))
  process.once('SIGINT', onSignal)
  try {
    return await work(stop.signal)
  } finally {
    process.off('SIGINT', onSignal)
  }
}

/** From the environment: a flag could be read by others. */
function keyFrom({ SWITCHYARD_KEY: key }: NodeJS.ProcessEnv): Secret | undefined {
  return key === undefined || key === '' ? undefined : secret(key)
}

function json(found: object): string {
  return JSON.stringify(found, (_name, value) => (typeof value === 'function' ? undefined : value), 2)
}
