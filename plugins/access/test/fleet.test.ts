import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { secret } from '@switchyard/contract'
import { type ProcessBus, processBus, type VirtualClock, virtualClock } from '@switchyard/testkit'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fileSql } from './support/file-sql.ts'
import { CHANGE, made, type Node, startNode, VIRTUAL } from './support/node.ts'

let path: string
let clock: VirtualClock
let bus: ProcessBus
let one: Node
let other: Node

beforeEach(async () => {
  path = join(tmpdir(), `access-fleet-${process.hrtime.bigint()}.db`)
  clock = virtualClock()
  bus = processBus()
  one = await startNode({ sql: fileSql(path), bus, clock })
  other = await startNode({ sql: fileSql(path), bus, clock })
})
afterEach(async () => {
  await one.plugin.close()
  await other.plugin.close()
  await rm(path, { force: true })
})

const UNAUTHENTICATED = expect.objectContaining({ code: 'UNAUTHENTICATED' })

describe('a key that is revoked at one node', () => {
  test('is refused there and at the other at once, with no time gone by', async () => {
    const { id, key } = await made(one)
    for (const node of [one, other]) await node.ask(key)
    await one.keys.revoke(id, CHANGE)
    for (const node of [one, other]) await expect(node.ask(key)).rejects.toThrow(UNAUTHENTICATED)
    expect(other.emitted('key:revoked')).toEqual([])
  })

  test.each([
    ['is lost', () => Object.assign(bus, { carries: false })],
    ['cannot be sent', () => Object.assign(bus, { down: true })],
  ])('is refused at the other within a second, where the message %s', async (_, break_) => {
    const { id, key } = await made(one)
    for (const node of [one, other]) await node.ask(key)
    break_()
    await one.keys.revoke(id, CHANGE)
    await expect(one.ask(key)).rejects.toThrow(UNAUTHENTICATED)
    await clock.advance(1_000)
    await expect(other.ask(key)).rejects.toThrow(UNAUTHENTICATED)
  })
})

test('an update and a rotation reach the other node at once', async () => {
  const { id, key } = await made(one)
  await other.ask(key)
  await one.keys.update(id, { models: ['a'] }, CHANGE)
  await clock.advance(0)
  expect((await other.ask(key)).principal.scopes?.models).toEqual(['a'])
  await one.keys.rotate(id, 0, CHANGE)
  await clock.advance(0)
  await expect(other.ask(key)).rejects.toThrow(UNAUTHENTICATED)
})

describe('the first key', () => {
  test('is known to the other node at once, and stays one when it is revoked', async () => {
    expect([one.access.configured(), other.access.configured()]).toEqual([false, false])
    const { id } = await made(one)
    await clock.advance(0)
    expect([one.access.configured(), other.access.configured()]).toEqual([true, true])
    await one.keys.revoke(id, CHANGE)
    expect(one.access.configured()).toBe(true)
    const later = await startNode({ sql: fileSql(path) })
    expect(later.access.configured()).toBe(true)
    await later.plugin.close()
  })

  test('is found within a second where another process made it', async () => {
    const process = await startNode({ sql: fileSql(path) })
    await made(process)
    await process.plugin.close()
    expect(one.access.configured()).toBe(false)
    await clock.advance(1_000)
    expect(one.access.configured()).toBe(true)
    expect(clock.pending()).toBe(0)
  })
})

test('a bus that is away at the start is listened to when it comes back; junk on it does nothing', async () => {
  bus.down = true
  const late = await startNode({ sql: fileSql(path), bus, clock })
  expect(late.log.records.filter(({ level }) => level === 'warn')).toHaveLength(1)
  bus.down = false
  await clock.advance(10_000)
  const { id, key } = await made(one)
  await late.ask(key)
  for (const junk of ['', '{', '[]', 'null', '{"key":1}', `{"key":"${'x'.repeat(600)}"}`])
    await bus.publish('access', Buffer.from(junk))
  await clock.advance(0)
  expect(late.access.authenticate({ 'api-key': key })).not.toBeInstanceOf(Promise)
  await one.keys.revoke(id, CHANGE)
  await expect(late.ask(key)).rejects.toThrow(UNAUTHENTICATED)
  await late.plugin.close()
})

describe('peppers', () => {
  const at = (kids: readonly string[], sql = fileSql(path)): Promise<Node> =>
    startNode({ sql, options: { peppers: kids.map((kid) => ({ kid, pepper: secret(`${kid}-${'p'.repeat(32)}`) })) } })
  const kidOf = async (id: string): Promise<unknown> =>
    (await fileSql(path).query('SELECT kid FROM switchyard_keys WHERE id = ?', [id])).rows[0]?.kid

  test('rotate: a key made under an older one is taken, and put under the present one by its use', async () => {
    const first = await at(['k1'])
    const { id, key } = await made(first, VIRTUAL)
    const own = await made(one)
    const second = await at(['k2', 'k1'])
    await second.ask(key)
    await second.ask(own.key)
    await expect.poll(() => kidOf(id)).toBe('k2')
    await expect.poll(() => kidOf(own.id)).toBe('k2')
    const third = await at(['k2'])
    await third.ask(key)
    const without = await at(['k3'])
    await expect(without.ask(key)).rejects.toThrow(UNAUTHENTICATED)
    await expect(without.ask(key)).rejects.toThrow(UNAUTHENTICATED)
    expect(without.log.records.filter(({ level }) => level === 'warn')).toHaveLength(1)
    for (const node of [first, second, third, without]) await node.plugin.close()
  })

  test('of one kid and two values make no key good', async () => {
    const first = await at(['k1'])
    const { key } = await made(first)
    const wrong = await startNode({ sql: fileSql(path), options: { peppers: [{ kid: 'k1', pepper: 'another-'.repeat(8) }] } })
    await expect(wrong.ask(key)).rejects.toThrow(UNAUTHENTICATED)
    for (const node of [first, wrong]) await node.plugin.close()
  })
})
