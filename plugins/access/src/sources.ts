import { BlockList, isIP } from 'node:net'

/** Whether an address of a peer may use a key. An address that is not known may not. */
export type Sources = (address: string | undefined) => boolean

const ANYWHERE: Sources = () => true
const MAPPED = '::ffff:'

/** Compiles CIDR blocks and addresses; `['*']` is anywhere, `[]` nowhere. What is no block lets nobody in. */
export function sourcesOf(blocks: readonly string[]): Sources {
  if (blocks.length === 1 && blocks[0] === '*') return ANYWHERE
  const list = new BlockList()
  for (const block of blocks) addTo(list, block)
  return (address) => {
    if (address === undefined) return false
    const plain = plainAddress(address)
    const family = isIP(plain)
    return family !== 0 && list.check(plain, family === 4 ? 'ipv4' : 'ipv6')
  }
}

/** Whether a text is an address, or a block of them. */
export function isBlock(text: string): boolean {
  return addTo(new BlockList(), text)
}

/** An IPv4 address that a socket of both families shows as IPv6, as IPv4. */
function plainAddress(address: string): string {
  return address.startsWith(MAPPED) && address.includes('.') ? address.slice(MAPPED.length) : address
}

/** What one holder of addresses is counted by: an IPv4 address, and of IPv6 the /64, which whoever has one address has whole. */
export function networkOf(address: string): string {
  const plain = plainAddress(address)
  if (!plain.includes(':')) return plain
  const [head = '', tail] = plain.split('::')
  const before = head.split(':').filter((group) => group !== '')
  const after = tail?.split(':').filter((group) => group !== '') ?? []
  const between = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length)
  return `${[...before, ...Array<string>(between).fill('0'), ...after].slice(0, 4).join(':')}::`
}

function addTo(list: BlockList, block: string): boolean {
  const [address = '', bits, more] = block.split('/')
  const family = isIP(address)
  if (family === 0 || more !== undefined) return false
  const most = family === 4 ? 32 : 128
  const length = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN
  if (!(length >= 0 && length <= most)) return false
  list.addSubnet(address, length, family === 4 ? 'ipv4' : 'ipv6')
  return true
}
