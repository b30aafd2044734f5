import type { ViteUserConfig } from 'vitest/config'

/** The one test set-up of every package: sources through the private export condition, so nothing needs a build first. */
export function packageTests(): ViteUserConfig {
  const conditions = ['@switchyard/source', 'node', 'import', 'module', 'default']
  return {
    resolve: { conditions },
    // Node is started with these as --conditions, where `import` or `module` would hand ES modules to a package's `require`.
    ssr: { resolve: { conditions: ['@switchyard/source'], externalConditions: ['@switchyard/source'] } },
    test: {
      include: ['test/**/*.test.ts'],
      // Most of the time is spent waiting for servers and processes: each core has its own to wait for.
      maxWorkers: '100%',
      testTimeout: 20_000,
      hookTimeout: 60_000,
      coverage: { include: ['src/**'] },
    },
  }
}
