import type { SetupContext } from '@switchyard/contract'
import { expect, test, vi } from 'vitest'
import { startKernel } from '../src/index.ts'
import { gate, logs, plugin, server, to } from './fixtures.ts'

declare module '@switchyard/contract' {
  interface KernelEvents {
    'paper:ran-out': { readonly tray: string }
  }
}

const pages = server({ 'fax.send': async () => ({ pages: 1 }) })

const watcher = (name: string, watch: (ctx: SetupContext<never, Record<string, never>>) => void): ReturnType<typeof plugin> =>
  plugin(name, {
    setup: (ctx) => {
      watch(ctx)
      return { ports: {} }
    },
  })

test('a listener that fails is logged once, and neither call nor other listeners feel it', async () => {
  const { log, lines } = logs()
  const heard = vi.fn()
  const kernel = await startKernel(
    {
      plugins: [
        watcher('bad', (ctx) => {
          ctx.on('call:ended', () => {
            throw new Error('thrown')
          })
          ctx.on('call:ended', (async () => {
            throw new Error('rejected')
          }) as () => void)
        }),
        watcher('good', (ctx) => ctx.on('call:ended', heard)),
        pages,
      ],
    },
    { log },
  )
  kernel.on('call:ended', () => {
    throw new Error('outside')
  })
  for (let calls = 0; calls < 3; calls++) expect(await kernel.call('fax.send', to)).toEqual({ pages: 1 })
  await new Promise(setImmediate)
  expect(heard).toHaveBeenCalledTimes(3)
  const errors = lines.filter(({ level }) => level === 'error').map(({ fields }) => (fields.error as Error).message)
  expect(errors.toSorted()).toEqual(['outside', 'rejected', 'thrown'])
})

test('a listener hears until it is ended, also when it ends itself', async () => {
  const kernel = await startKernel({ plugins: [pages] })
  const heard: string[] = []
  const once = kernel.on('call:ended', () => {
    heard.push('once')
    once()
  })
  const end = kernel.on('call:ended', () => heard.push('twice'))
  await kernel.call('fax.send', to)
  await kernel.call('fax.send', to)
  end()
  end()
  await kernel.call('fax.send', to)
  expect(heard).toEqual(['once', 'twice', 'twice'])
})

test('plugin:ready and plugin:closed tell each instance', async () => {
  const heard: object[] = []
  const kernel = await startKernel({
    plugins: [
      watcher('watch', (ctx) => {
        ctx.on('plugin:ready', (event) => heard.push(event))
      }),
      plugin('@acme/tray', { place: { as: 'upper' } }),
    ],
  })
  kernel.on('plugin:closed', (event) => heard.push(event))
  await kernel.close()
  expect(heard).toEqual([
    { plugin: 'watch', instance: 'watch', durationMs: expect.any(Number) },
    { plugin: '@acme/tray', instance: 'upper', durationMs: expect.any(Number) },
    { plugin: '@acme/tray', instance: 'upper' },
    { plugin: 'watch', instance: 'watch' },
  ])
})

test('a plugin hears nothing once it has closed', async () => {
  const heard: string[] = []
  const kernel = await startKernel({
    plugins: [
      plugin('tray'),
      watcher('watch', (ctx) => {
        ctx.on('plugin:closed', ({ instance }) => heard.push(instance))
        ctx.onClose(() => ctx.on('plugin:closed', () => heard.push('too late')))
      }),
    ],
  })
  await kernel.close()
  expect(heard).toEqual(['watch'])
})

test("a plugin's listener hears the calls of its own assembly only, to the last", async () => {
  const door = gate()
  const heard = { old: 0, next: 0 }
  const build = (name: 'old' | 'next'): ReturnType<typeof plugin>[] => [
    watcher('watch', (ctx) => {
      ctx.on('call:ended', () => {
        heard[name] += 1
      })
    }),
    server({
      'fax.send': async () => {
        if (name === 'old') await door.opened
        return { pages: 1 }
      },
    }),
  ]
  const kernel = await startKernel({ plugins: build('old') })
  const call = kernel.call('fax.send', to)
  const swapped = new Promise<void>((resolve) => kernel.on('assembly:swapped', () => resolve()))
  const swapping = kernel.swap({ plugins: build('next') })
  await swapped
  await kernel.call('fax.send', to)
  expect(heard).toEqual({ old: 0, next: 1 })
  door.open()
  await call
  await swapping
  expect(heard).toEqual({ old: 1, next: 1 })
})

test('an event of a plugin reaches the other plugins and the one who runs the kernel', async () => {
  const heard: unknown[] = []
  const kernel = await startKernel({
    plugins: [
      watcher('watch', (ctx) => {
        ctx.on('paper:ran-out', (event) => heard.push(['plugin', event]))
      }),
      watcher('tray', (ctx) => {
        ctx.onClose(() => ctx.emit('paper:ran-out', { tray: ctx.instance }))
      }),
    ],
  })
  kernel.on('paper:ran-out', (event) => heard.push(['owner', event]))
  await kernel.close()
  expect(heard).toEqual([
    ['plugin', { tray: 'tray' }],
    ['owner', { tray: 'tray' }],
  ])
})
