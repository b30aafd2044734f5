import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { resilienceOptions } from '../../src/options.ts'
import { systemPressure } from '../../src/shed/system-pressure.ts'

const marks = (pressure: object) => resilienceOptions.parse({ pressure }).pressure

test('this process is measured', async () => {
  const pressure = systemPressure(marks({ socketsOn: 10 }), () => 7)
  try {
    expect(pressure.read()).toMatchObject({ loopUtilisation: 0, loopDelayMs: 0, sockets: 7 })
    // It measures real time. Busy all along, the loop cannot be measured as idle, however loaded the machine.
    for (let turn = 0; turn < 20; turn++) {
      const until = performance.now() + 3
      while (performance.now() < until);
      await new Promise((resolve) => setImmediate(resolve))
      pressure.read()
    }
    const { loopUtilisation, heapShare } = pressure.read()
    expect(loopUtilisation).toBeGreaterThan(0.5)
    expect(loopUtilisation).toBeLessThanOrEqual(1)
    expect(heapShare).toBeGreaterThan(0)
    expect(heapShare).toBeLessThan(1)
  } finally {
    pressure.close()
  }
})

test('open sockets are counted where they have a mark, and nothing is read that has none', async () => {
  const counted = systemPressure(marks({ socketsOn: 10 }))
  const blind = systemPressure(marks({ loopUtilisationOn: false, heapShareOn: false }), () => {
    throw new Error('nobody asked')
  })
  const server = createServer()
  try {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const before = counted.read().sockets
    const { port } = server.address() as { port: number }
    const { connect } = await import('node:net')
    const clients = await Promise.all(
      [0, 1, 2].map(
        () =>
          new Promise<import('node:net').Socket>((resolve) => {
            const socket = connect(port, '127.0.0.1', () => resolve(socket))
          }),
      ),
    )
    expect(counted.read().sockets).toBeGreaterThanOrEqual(before + 3)
    for (const client of clients) client.destroy()
    for (let i = 0; i < 3; i++) expect(blind.read()).toMatchObject({ loopUtilisation: 0, heapShare: 0, sockets: 0 })
  } finally {
    counted.close()
    blind.close()
    server.close()
  }
})
