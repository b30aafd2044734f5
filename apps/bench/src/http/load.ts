import { spawn, spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import autocannon from 'autocannon'

export interface LoadRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** A text of the body that is another in each request, as long as it is. */
  readonly varied?: string | undefined
}

export interface LoadResult {
  readonly requests: number
  readonly requestsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Replies that were not 2xx, and sockets that failed. */
  readonly errors: number
}

export type LoadGenerator = (request: LoadRequest, seconds: number, connections: number) => Promise<LoadResult>

/** wrk where it is installed, else autocannon, which may then be the bottleneck. */
export function loadGenerator(): { readonly kind: 'wrk' | 'autocannon'; readonly run: LoadGenerator } {
  if (spawnSync('wrk', ['-v']).error === undefined) return { kind: 'wrk', run: wrk }
  return { kind: 'autocannon', run: cannon }
}

async function wrk(request: LoadRequest, seconds: number, connections: number): Promise<LoadResult> {
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-wrk-'))
  try {
    const script = join(folder, 'post.lua')
    await writeFile(script, lua(request))
    const output = await capture('wrk', [
      '-t1',
      `-c${connections}`,
      `-d${seconds}s`,
      '--timeout',
      '30s',
      '-s',
      script,
      request.url,
    ])
    const result = /^RESULT (.*)$/m.exec(output)?.[1]
    if (result === undefined) throw new Error(`wrk printed no result:\n${output}`)
    return JSON.parse(result) as LoadResult
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function lua({ headers, body, varied }: LoadRequest): string {
  const lines = Object.entries({ 'content-type': 'application/json', ...headers }).map(
    ([name, value]) => `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}`,
  )
  const [before, after] = varied === undefined ? [] : body.split(varied)
  const each =
    varied === undefined
      ? ''
      : `local count = os.time() % 100000 * 10000000
request = function()
  count = count + 1
  return wrk.format(nil, nil, nil, [==[${before}]==] .. string.format("%0${varied.length}d", count) .. [==[${after}]==])
end
`
  return `wrk.method = "POST"
wrk.body = [==[${body}]==]
${lines.join('\n')}
${each}done = function(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.timeout + errors.status
  print(string.format('RESULT {"requests":%d,"requestsPerSecond":%.2f,"p50Ms":%.4f,"p99Ms":%.4f,"errors":%d}',
    summary.requests, summary.requests / (summary.duration / 1e6), latency:percentile(50) / 1000, latency:percentile(99) / 1000, failed))
end
`
}

async function cannon({ url, headers, body, varied }: LoadRequest, seconds: number, connections: number): Promise<LoadResult> {
  let count = Date.now() * 1_000
  const result = await autocannon({
    ...(varied !== undefined && {
      setupClient(client: { setBody(body: string): void; on(event: 'response', listener: () => void): void }) {
        client.on('response', () => client.setBody(body.replace(varied, String(count++).padStart(varied.length, '0'))))
      },
    }),
    url,
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
    connections,
    duration: seconds,
  })
  return {
    requests: result.requests.total,
    requestsPerSecond: result.requests.total / result.duration,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    errors: result.non2xx + result.errors,
  }
}

function capture(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.on('data', (bytes: Buffer) => {
      output += bytes.toString('utf8')
    })
    child.once('error', reject)
    child.once('exit', () => resolve(output))
  })
}
