import type { ViteUserConfig } from 'vitest/config'
import { packageTests } from '../vitest.base.ts'

const base = packageTests()
const config: ViteUserConfig = { ...base, test: { ...base.test, name: 'scripts', include: ['**/*.test.ts'] } }
export default config
