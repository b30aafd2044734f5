import { Pool } from 'undici'
import type { LoadRequest } from './load.ts'

/** Milliseconds from sending a streamed request to its first content token, one request after the other on one connection. */
export async function firstTokenTimes(request: LoadRequest, count: number): Promise<readonly number[]> {
  const url = new URL(request.url)
  const pool = new Pool(url.origin, { connections: 1 })
  const times: number[] = []
  try {
    for (let index = 0; index < count; index++) {
      const startedAt = performance.now()
      const { body } = await pool.request({
        path: url.pathname,
        method: 'POST',
        headers: { 'content-type': 'application/json', ...request.headers },
        body: request.body,
      })
      let seen = ''
      let first: number | undefined
      for await (const chunk of body) {
        if (first !== undefined) continue
        seen += (chunk as Buffer).toString('latin1')
        if (seen.includes('token0')) first = performance.now() - startedAt
      }
      if (first === undefined) throw new Error(`no token in the stream of ${request.url}: ${seen.slice(0, 200)}`)
      times.push(first)
    }
    return times
  } finally {
    await pool.close()
  }
}
