/** A node of its own: leads the flight KEY at URL under PREFIX, says a number every 50 ms, and tells on stdout what becomes of it. */
import { flights, type Lead } from '@switchyard/contract'
import { startPlugin, systemClock } from '@switchyard/testkit'
import { cacheRedis } from '../../src/index.ts'

const [url = '', keyPrefix = '', key = ''] = process.argv.slice(2)
const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}
const clock = systemClock()
const plugin = await startPlugin(cacheRedis({ url, keyPrefix }), { clock })
const lead = (await plugin.port(flights).join(key)) as Lead
say(lead.role)
lead.signal.addEventListener('abort', () => say(`lost ${lead.signal.reason.code}`))
for (let at = 0; ; at += 1) {
  try {
    await lead.append(new TextEncoder().encode(`${at},`))
  } catch (error) {
    say(`append ${(error as { readonly code: string }).code}`)
    break
  }
  await clock.sleep(50)
}
await plugin.close()
