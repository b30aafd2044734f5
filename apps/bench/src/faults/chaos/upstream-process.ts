import { startFakeUpstream } from '@switchyard/testkit'

/** `node upstream-process.ts PORT FAULT`: a fake upstream that says when requests came, and hears what all of them are to suffer. */
const REPORT_MS = 50

const [, , port, fault = ''] = process.argv
const upstream = await startFakeUpstream({ port: Number(port) })
upstream.always(fault)
process.on('message', (message: { readonly always: string }) => upstream.always(message.always))
process.on('disconnect', () => process.exit())

let told = 0
setInterval(() => {
  // Probes of health are GETs, and no traffic.
  const arrivals = upstream.requests
    .slice(told)
    .filter(({ method }) => method === 'POST')
    .map(({ receivedAt }) => receivedAt)
  told = upstream.requests.length
  if (arrivals.length > 0) process.send?.({ arrivals })
}, REPORT_MS)
