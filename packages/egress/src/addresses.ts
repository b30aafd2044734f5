import { isIP } from 'node:net'
import { SwitchyardError } from '@switchyard/contract'
import ipaddr from 'ipaddr.js'

type Address = ipaddr.IPv4 | ipaddr.IPv6
type Block = readonly [Address, number]

/** `allow` and `deny` of a policy, parsed once. */
export interface AddressRules {
  readonly allow: readonly Block[]
  readonly deny: readonly Block[]
}

/** The rules of an egress that opens and closes nothing by itself. */
export const NO_RULES: AddressRules = Object.freeze({ allow: [], deny: [] })

/**
 * Where clouds answer with credentials to whoever asks from inside: AWS, GCP, Azure and others on 169.254.169.254; AWS on IPv6;
 * GCP on IPv6; ECS and EKS task credentials; Tencent; Alibaba; Azure's wire server, which counts as public; Oracle.
 */
const METADATA: ReadonlySet<string> = new Set([
  '169.254.169.254',
  'fd00:ec2::254',
  'fd20:ce::254',
  '169.254.170.2',
  '169.254.170.23',
  'fd00:ec2::23',
  '169.254.0.23',
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
])

/** What IANA has given out for global unicast; the rest of IPv6 is special or unassigned. */
const GLOBAL_V6: Block = ipaddr.parseCIDR('2000::/3')
const V4_COMPATIBLE: Block = ipaddr.parseCIDR('::/96')

/**
 * Parses CIDR blocks and single addresses.
 * @throws SwitchyardError `CONFIG_INVALID` naming the entry that is neither.
 */
export function compileRules(allow: readonly string[], deny: readonly string[]): AddressRules {
  return { allow: allow.map((entry) => parseBlock('allow', entry)), deny: deny.map((entry) => parseBlock('deny', entry)) }
}

/**
 * What an address is: `public`, `metadata`, `invalid`, or the name of its special range (`loopback`, `private`, `linkLocal`,
 * `uniqueLocal`, `carrierGradeNat`, `ipv4Mapped`, `rfc6052`, `6to4`, `teredo`, `reserved`, `unassigned`, ...). Only `public` is
 * open without an `allow`. An IPv6 address that carries the address of a metadata service is `metadata`. Strict spelling: what
 * `node:net` does not take as an address (`127.1`, `0x7f000001`) is `invalid`; a URL parser has made those canonical before.
 */
export function classifyAddress(address: string): string {
  const parsed = parse(address)
  if (parsed === undefined) return 'invalid'
  return [parsed, ...carried(parsed)].some(isMetadata) ? 'metadata' : rangeOf(parsed)
}

/**
 * Whether a connection to the address may be opened: never to metadata services nor into `deny`; else if it is public or in
 * `allow`. An IPv6 address that carries an IPv4 address needs both to be open.
 */
export function isAddressAllowed(address: string, rules: AddressRules = NO_RULES): boolean {
  return refusalOf(address, rules) === undefined
}

/** Why an address is closed and how to mend it, as the end of a sentence; undefined for an open one. */
export function refusalOf(address: string, rules: AddressRules): string | undefined {
  const parsed = parse(address)
  if (parsed === undefined) return `${JSON.stringify(address)} is not an IP address`
  const all = [parsed, ...carried(parsed)]
  if (all.some(isMetadata)) return `${address} is a cloud metadata service, which stays closed whatever "allow" says`
  if (all.some((one) => inBlocks(one, rules.deny))) return `${address} is closed by the option "deny"`
  const closed = all.filter((one) => rangeOf(one) !== 'public' && !inBlocks(one, rules.allow))
  if (closed.length === 0) return undefined
  const blocks = closed.map((one) => `"${one.toString()}/${one.kind() === 'ipv4' ? 32 : 128}"`)
  return `${address} is not a public address (${rangeOf(parsed)}); if it is meant to be called, add ${blocks.join(' and ')} or a wider block to the option "allow"`
}

function parse(address: string): Address | undefined {
  const zone = address.indexOf('%')
  const bare = zone === -1 ? address : address.slice(0, zone)
  return isIP(bare) === 0 ? undefined : ipaddr.parse(bare)
}

function parseBlock(option: string, entry: string): Block {
  try {
    const slash = entry.indexOf('/')
    if (slash !== -1 && isIP(entry.slice(0, slash)) !== 0) return ipaddr.parseCIDR(entry)
    const single = slash === -1 ? parse(entry) : undefined
    if (single !== undefined) return [single, single.kind() === 'ipv4' ? 32 : 128]
  } catch {
    // Told below, in our own words.
  }
  throw new SwitchyardError(
    'CONFIG_INVALID',
    `egress policy: ${option}: ${JSON.stringify(entry)} is not a CIDR block such as "10.0.0.0/8"`,
  )
}

function inBlocks(address: Address, blocks: readonly Block[]): boolean {
  return blocks.some((block) => inBlock(address, block))
}

function inBlock(address: Address, [network, bits]: Block): boolean {
  return address.kind() === network.kind() && address.match(network, bits)
}

function isMetadata(address: Address): boolean {
  return METADATA.has(address.toString())
}

function rangeOf(address: Address): string {
  const range = address.range()
  if (range !== 'unicast') return range
  if (address.kind() === 'ipv4' || inBlock(address, GLOBAL_V6)) return 'public'
  return inBlock(address, V4_COMPATIBLE) ? 'ipv4Compatible' : 'unassigned'
}

/** The IPv4 addresses inside an IPv6 one: mapped, compatible, translated, both NAT64 prefixes, 6to4, Teredo and ISATAP. */
function carried(address: Address): ipaddr.IPv4[] {
  if (address.kind() === 'ipv4') return []
  const bytes = address.toByteArray()
  const at = (offset: number, mask = 0): ipaddr.IPv4 =>
    new ipaddr.IPv4(bytes.slice(offset, offset + 4).map((byte) => byte ^ mask))
  switch (rangeOf(address)) {
    case 'ipv4Mapped':
    case 'ipv4Compatible':
    case 'rfc6145':
      return [at(12)]
    case 'rfc6052':
      // In RFC 8215's prefix, a /48, RFC 6052 puts the address around the zero byte 8; operators also make a /96 of it.
      return bytes.slice(6, 12).every((byte) => byte === 0)
        ? [at(12)]
        : [at(12), new ipaddr.IPv4([bytes[6], bytes[7], bytes[9], bytes[10]] as number[])]
    case '6to4':
      return [at(2)]
    case 'teredo':
      return [at(4), at(12, 0xff)]
    default:
      return (bytes[8] === 0 || bytes[8] === 2) && bytes[9] === 0 && bytes[10] === 0x5e && bytes[11] === 0xfe ? [at(12)] : []
  }
}
