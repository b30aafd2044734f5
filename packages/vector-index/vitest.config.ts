import type { ViteUserConfig } from 'vitest/config'
import { packageTests } from '../../vitest.base.ts'

const config: ViteUserConfig = packageTests()
export default config
