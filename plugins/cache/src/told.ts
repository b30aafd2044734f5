import type { Operation, Reply } from '@switchyard/contract'

/** The reply with more headers, where it is of a kind that has some. */
export function told(reply: Reply<Operation>, more: Readonly<Record<string, string>>): Reply<Operation> {
  if (!('headers' in reply)) return reply
  return { ...reply, headers: { ...(reply.headers as Readonly<Record<string, string>>), ...more } }
}
