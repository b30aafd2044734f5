import type { UserConfig } from 'tsdown'

/** The one build of every published package: ESM, declarations from isolatedDeclarations, checked by publint and attw. */
export function packageBuild(entry: string[]): UserConfig {
  return {
    entry,
    format: 'esm',
    platform: 'node',
    target: 'node22.19',
    fixedExtension: false,
    dts: true,
    clean: true,
    sourcemap: false,
    publint: { level: 'error' },
    attw: { profile: 'esm-only', level: 'error' },
  }
}
