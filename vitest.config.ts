import { readdirSync } from 'node:fs'
import { defineConfig, type ViteUserConfig } from 'vitest/config'
import { countReporter } from './scripts/run/counts.ts'

/** Packages whose every line counts; the bench and the docs are run by people. */
const measured = ['packages', 'plugins']
  .flatMap((group) => readdirSync(new URL(group, import.meta.url)).map((name) => `${group}/${name}`))
  .concat('apps/gateway')

const counts = process.env.SWITCHYARD_TEST_COUNTS

const config: ViteUserConfig = defineConfig({
  test: {
    projects: ['packages/*', 'plugins/*', 'apps/*', 'scripts'],
    reporters: ['default', ...(counts === undefined ? [] : [countReporter(counts)])],
    coverage: {
      provider: 'v8',
      include: measured.map((folder) => `${folder}/src/**`),
      exclude: ['**/*.d.ts'],
      reporter: [['text', { skipFull: true }]],
      thresholds: Object.fromEntries(measured.map((folder) => [`${folder}/src/**`, { lines: 90 }])),
    },
  },
})
export default config
