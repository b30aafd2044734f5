import { table } from '../table.ts'
import type { Warming } from './warm-all.ts'
import type { WarmList } from './warm-list.ts'

/** What would be sent. */
export function listText(list: WarmList): string {
  const { requests, eligible, distinct, chosen, chosenRequests, bypassed, models, badLines, isCapped } = list
  const lines = [
    `${requests} requests, of which a cache keeps ${eligible}; ${distinct} distinct, of which ${chosen} would be sent (${chosenRequests} of the log's requests).`,
  ]
  if (badLines.count > 0)
    lines.push(
      `${badLines.count} lines hold no request (${badLines.first.map(({ line, why }) => `line ${line}: ${why}`).join('; ')}).`,
    )
  if (isCapped)
    lines.push('More distinct requests than are remembered: the later ones would not be sent. Raise --max-distinct.')
  const reasons = Object.entries(bypassed)
  if (reasons.length > 0) lines.push(`Left alone: ${reasons.map(([reason, count]) => `${count} ${reason}`).join(', ')}.`)
  const rows = models.map(({ model, requests: count, micro }) => [printable(model), String(count), usd(micro)])
  const total = models.reduce((sum, { micro }) => sum + (micro ?? 0), 0)
  lines.push('', table(['MODEL', 'TO SEND', 'ABOUT'], [...rows, ['total', String(chosen), usd(total)]]))
  const withoutOutput = models.reduce((sum, one) => sum + one.withoutOutput, 0)
  if (withoutOutput > 0)
    lines.push(`${withoutOutput} have neither usage nor answer in the log: their output costs more than is said here.`)
  const unpriced = models.filter(({ micro }) => micro === undefined).length
  if (unpriced > 0) lines.push(`${unpriced} models have no price in the catalog.`)
  return lines.join('\n')
}

/** What was sent, and how far it came. */
export function warmingText({ chosen }: WarmList, warming: Warming): string {
  const { sent, filled, kept, bypassed, failed, reasons, microUsd, stopped } = warming
  const lines = [`${sent} of ${chosen} sent: ${filled} filled, ${kept} there before, ${failed} failed${cost(microUsd)}.`]
  for (const [reason, count] of Object.entries(bypassed)) lines.push(`${count} were answered and not kept: ${reason}.`)
  for (const reason of reasons) lines.push(`Failed: ${reason}`)
  if (stopped?.code === 'interrupted')
    lines.push('Interrupted. Run it again to go on: what is kept is answered at once and costs nothing.')
  else if (stopped !== undefined) lines.push(`Stopped: ${stopped.why}.`)
  return lines.join('\n')
}

function cost(micro: number): string {
  return micro === 0 ? '' : `, for ${usd(micro)} as the gateway says`
}

function usd(micro: number | undefined): string {
  return micro === undefined ? '-' : `$${(micro / 1e6).toFixed(micro < 10_000 ? 6 : 2)}`
}

function printable(name: string): string {
  return name.replaceAll(/\p{Cc}/gu, ' ').slice(0, 60)
}
