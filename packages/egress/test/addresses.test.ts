import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { classifyAddress, compileRules, isAddressAllowed } from '../src/index.ts'

const CLASSES: readonly (readonly [address: string, expected: string])[] = [
  ['8.8.8.8', 'public'],
  ['172.15.255.255', 'public'],
  ['172.32.0.0', 'public'],
  ['100.63.255.255', 'public'],
  ['100.128.0.0', 'public'],
  ['2606:4700:4700::1111', 'public'],
  ['2001:4860:4860::8888', 'public'],
  ['0.0.0.0', 'unspecified'],
  ['0.1.2.3', 'unspecified'],
  ['10.0.0.1', 'private'],
  ['10.255.255.255', 'private'],
  ['100.64.0.1', 'carrierGradeNat'],
  ['127.0.0.1', 'loopback'],
  ['127.255.255.254', 'loopback'],
  ['169.254.1.1', 'linkLocal'],
  ['172.16.0.1', 'private'],
  ['172.31.255.255', 'private'],
  ['192.0.0.8', 'reserved'],
  ['192.0.2.1', 'reserved'],
  ['192.31.196.1', 'as112'],
  ['192.52.193.1', 'amt'],
  ['192.88.99.1', 'reserved'],
  ['192.168.1.1', 'private'],
  ['192.175.48.1', 'as112'],
  ['198.18.0.1', 'reserved'],
  ['198.19.255.255', 'reserved'],
  ['198.51.100.1', 'reserved'],
  ['203.0.113.1', 'reserved'],
  ['224.0.0.1', 'multicast'],
  ['240.0.0.1', 'reserved'],
  ['255.255.255.255', 'broadcast'],
  ['::', 'unspecified'],
  ['::1', 'loopback'],
  ['0:0:0:0:0:0:0:1', 'loopback'],
  ['::7f00:1', 'ipv4Compatible'],
  ['::808:808', 'ipv4Compatible'],
  ['::ffff:127.0.0.1', 'ipv4Mapped'],
  ['::ffff:7f00:1', 'ipv4Mapped'],
  ['::ffff:8.8.8.8', 'ipv4Mapped'],
  ['::ffff:0:127.0.0.1', 'rfc6145'],
  ['64:ff9b::7f00:1', 'rfc6052'],
  ['64:ff9b::8.8.8.8', 'rfc6052'],
  ['64:ff9b:1::a00:1', 'rfc6052'],
  ['100::1', 'discard'],
  ['2001::1', 'teredo'],
  ['2001:2::1', 'benchmarking'],
  ['2001:10::1', 'deprecatedOrchid'],
  ['2001:20::1', 'orchid2'],
  ['2001:db8::1', 'reserved'],
  ['2002:7f00:1::', '6to4'],
  ['2002:808:808::', '6to4'],
  ['3fff::1', 'reserved'],
  ['4000::1', 'unassigned'],
  ['5f00::1', 'segmentRouting'],
  ['fc00::1', 'uniqueLocal'],
  ['fd12:3456::1', 'uniqueLocal'],
  ['fe80::1', 'linkLocal'],
  ['fe80::1%eth0', 'linkLocal'],
  ['fec0::1', 'deprecatedSiteLocal'],
  ['ff02::1', 'multicast'],
  ['', 'invalid'],
  ['localhost', 'invalid'],
  ['127.1', 'invalid'],
  ['0x7f000001', 'invalid'],
  ['2130706433', 'invalid'],
  ['0177.0.0.1', 'invalid'],
  ['[::1]', 'invalid'],
  ['1.2.3.4.5', 'invalid'],
]

const METADATA = [
  '169.254.169.254',
  '169.254.170.2',
  '169.254.170.23',
  '169.254.0.23',
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
  'fd00:ec2::254',
  'fd00:ec2::23',
  'fd20:ce::254',
  'FD00:0EC2:0:0::254',
  '::ffff:169.254.169.254',
  '::a9fe:a9fe',
  '::ffff:0:169.254.169.254',
  '64:ff9b::a9fe:a9fe',
  '64:ff9b:1::a9fe:a9fe',
  '64:ff9b:1:a9fe:a9:fe00::',
  '2002:a9fe:a9fe::1',
  '2001:0:a9fe:a9fe::',
  '2001:0:808:808:0:0:5601:5601',
  '2600::5efe:a9fe:a9fe',
  '2600::200:5efe:a83f:8110',
]

const EVERYTHING = compileRules(['0.0.0.0/0', '::/0'], [])

/** Every way in which an IPv6 address carries an IPv4 one. */
const CARRIERS: readonly ((a: number, b: number, c: number, d: number) => string)[] = [
  (a, b, c, d) => `::ffff:${a}.${b}.${c}.${d}`,
  (a, b, c, d) => `::ffff:0:${a}.${b}.${c}.${d}`,
  (a, b, c, d) => `64:ff9b::${hex(a, b)}:${hex(c, d)}`,
  (a, b, c, d) => `64:ff9b:1::${hex(a, b)}:${hex(c, d)}`,
  (a, b, c, d) => `2002:${hex(a, b)}:${hex(c, d)}::1`,
  (a, b, c, d) => `2001:0:808:808:0:0:${hex(a ^ 255, b ^ 255)}:${hex(c ^ 255, d ^ 255)}`,
]

function hex(high: number, low: number): string {
  return (high * 256 + low).toString(16)
}

describe('addresses', () => {
  test.each(CLASSES)('%s is %s', (address, expected) => {
    expect(classifyAddress(address)).toBe(expected)
    expect(isAddressAllowed(address)).toBe(expected === 'public')
  })

  test.each(METADATA)('%s is metadata, and stays closed though everything is allowed', (address) => {
    expect(classifyAddress(address)).toBe('metadata')
    expect(isAddressAllowed(address, EVERYTHING)).toBe(false)
  })

  test('allow opens a block, and nothing beside it', () => {
    const rules = compileRules(['10.1.0.0/16', '127.0.0.1', 'fd12::/16', '::1'], [])
    for (const open of ['10.1.0.0', '10.1.255.255', '127.0.0.1', 'fd12::9', '::1'])
      expect(isAddressAllowed(open, rules)).toBe(true)
    for (const shut of ['10.0.255.255', '10.2.0.0', '127.0.0.2', 'fd13::9', '::', '192.168.0.1']) {
      expect(isAddressAllowed(shut, rules)).toBe(false)
    }
  })

  test('an address inside an address needs both to be open', () => {
    expect(isAddressAllowed('::ffff:10.0.0.1', compileRules(['10.0.0.0/8'], []))).toBe(false)
    expect(isAddressAllowed('::ffff:10.0.0.1', compileRules(['::ffff:0:0/96'], []))).toBe(false)
    expect(isAddressAllowed('::ffff:10.0.0.1', compileRules(['::ffff:0:0/96', '10.0.0.0/8'], []))).toBe(true)
    expect(isAddressAllowed('64:ff9b::808:808', compileRules(['64:ff9b::/96'], []))).toBe(true)
    expect(isAddressAllowed('64:ff9b::a00:1', compileRules(['64:ff9b::/96'], []))).toBe(false)
  })

  test('deny closes public addresses, beats allow, and looks inside', () => {
    const rules = compileRules(['::/0', '0.0.0.0/0'], ['8.8.8.0/24', '2606:4700::/32'])
    for (const shut of ['8.8.8.8', '2606:4700::1', '::ffff:8.8.8.8', '2002:808:808::1']) {
      expect(isAddressAllowed(shut, rules)).toBe(false)
    }
    expect(isAddressAllowed('8.8.9.8', rules)).toBe(true)
  })

  test('an IPv4 block says nothing about IPv6', () => {
    expect(isAddressAllowed('::1', compileRules(['0.0.0.0/0'], []))).toBe(false)
    expect(isAddressAllowed('127.0.0.1', compileRules(['::/0'], []))).toBe(false)
  })

  test.each(['', 'localhost', '10.0.0.0/33', '10/8', '127.1', '::/129', '10.0.0.0/', '10.0.0.0/8/8', '*'])(
    'an entry %j is refused by name',
    (entry) => {
      expect(() => compileRules([entry], [])).toThrow(
        expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining('allow') }),
      )
      expect(() => compileRules([], [entry])).toThrow(
        expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining('deny') }),
      )
    },
  )

  test('whatever carries a closed IPv4 address is closed, also where the carrier is allowed', () => {
    const carriersOpen = compileRules(['::/0'], [])
    const byte = fc.nat(255)
    fc.assert(
      fc.property(byte, byte, byte, byte, fc.constantFrom(...CARRIERS), (a, b, c, d, carry) => {
        const address = carry(a, b, c, d)
        expect(isAddressAllowed(address)).toBe(false)
        expect(isAddressAllowed(address, carriersOpen)).toBe(isAddressAllowed(`${a}.${b}.${c}.${d}`))
      }),
      { numRuns: 2_000 },
    )
  })

  test('no string makes it throw', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.ipV4(), fc.ipV6(), fc.ipV4Extended()),
        (text) => typeof isAddressAllowed(text) === 'boolean',
      ),
    )
  })
})
