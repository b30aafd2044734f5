/**
 * A number in [0, 1) that hangs on the text alone: FNV-1a with the finaliser of MurmurHash3, 32 bits. Alike on every node, so that a
 * sticky choice is the same everywhere; not for secrets.
 */
export function unitHash(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}
