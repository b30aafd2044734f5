import { hash } from 'node:crypto'
import type { Call } from '@switchyard/contract'
import { EVERYTHING, tenantTag } from '../../src/keys/tags.ts'
import type { BypassPlan, Kind, Plan, WritePlan } from '../../src/kind.ts'

export interface EchoRequest {
  readonly text: string
  readonly plan?: Partial<Plan> | WritePlan | BypassPlan
}

export interface EchoReply {
  readonly text: string
  readonly headers: Readonly<Record<string, string>>
}

declare module '@switchyard/contract' {
  interface Operations {
    'test.echo': { request: EchoRequest; reply: EchoReply }
  }
}

/** The key of a tenant's text. */
export function keyOf(tenant: string, said: string): string {
  return `c:{${tenant}}:${hash('sha256', said, 'base64url')}`
}

const utf8 = new TextEncoder()
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

/** Replies are texts in one frame; those that begin with `!` are never kept, and `broken` breaks off. */
export const echoKind: Kind<'test.echo', string> = {
  operation: 'test.echo',
  plan({ request, principal }: Call<'test.echo'>) {
    const { plan } = request
    if (plan !== undefined && ('writes' in plan || 'bypass' in plan)) return plan
    return {
      key: keyOf(principal.tenant, request.text),
      partition: principal.tenant,
      mode: 'whole',
      tags: [EVERYTHING, tenantTag(principal.tenant), tenantTag(principal.tenant, 'tag:doc')],
      ttlMs: 60_000,
      staleMs: 0,
      maxAgeMs: undefined,
      wish: undefined,
      likeness: undefined,
      strict: false,
      ...plan,
    }
  },
  async *frames(reply) {
    if (reply.text === 'broken') throw new Error('broken off')
    yield utf8.encode(JSON.stringify(reply))
  },
  async assemble(frames, marks) {
    const reply = await replyOf(frames)
    return marks === undefined ? reply : { ...reply, headers: { 'x-switchyard-cache': 'hit', level: marks.level } }
  },
  keep(_call, frames) {
    const { text: said } = JSON.parse(text(Buffer.concat(frames))) as EchoReply
    return said.startsWith('!') ? { refused: 'refusal' } : { payload: utf8.encode(said), by: 'echo' }
  },
  open(payload) {
    const ready = text(payload)
    if (ready.startsWith('?')) throw new Error('not ours')
    return { ready, bytes: payload.byteLength }
  },
  answer: (ready, _call, { level, age, entry }) => ({
    text: ready,
    headers: { 'x-switchyard-cache': 'hit', level, age: String(age), entry },
  }),
  wordsOf: (ready) => ready,
  explain: () => ({ kind: 'echo' }),
}

async function replyOf(frames: AsyncIterable<Uint8Array>): Promise<EchoReply> {
  const parts: Uint8Array[] = []
  for await (const frame of frames) parts.push(frame)
  return JSON.parse(text(Buffer.concat(parts))) as EchoReply
}
