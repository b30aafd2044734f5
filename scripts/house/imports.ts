import { lineAt, maskSource } from './mask.ts'

/** One module specifier of a source file. */
export interface Import {
  readonly specifier: string
  /** 1-based. */
  readonly line: number
  /** True for `import type` and `export type`: nothing of it is left when the file runs. */
  readonly typeOnly: boolean
  /** True for `export ... from`. */
  readonly reExport: boolean
}

const PATTERNS = [/\bfrom\s*(["'])/g, /(?<![.\w$])import\s*\(?\s*(["'])/g, /(?<![.\w$])require\s*\(\s*(["'])/g]

/** Every static and dynamic import and re-export of a file, in order; specifiers that are computed are not seen. */
export function importsOf(source: string, masked: string = maskSource(source)): readonly Import[] {
  const found: (Import & { readonly at: number })[] = []
  for (const pattern of PATTERNS) {
    for (const match of masked.matchAll(pattern)) {
      const open = match.index + match[0].length
      const close = masked.indexOf(match[1] as string, open)
      if (close === -1) continue
      const before = masked.slice(Math.max(0, match.index - 4000), match.index)
      const clause = /(?<![.\w$])(import|export)\s(?:(?!(?<![.\w$])(?:import|export)\s)[^'"`;])*$/.exec(before)?.[0] ?? ''
      found.push({
        at: match.index,
        specifier: source.slice(open, close),
        line: lineAt(source, open),
        typeOnly: /^(?:import|export)\s+type\s/.test(clause),
        reExport: clause.startsWith('export'),
      })
    }
  }
  return found.sort((a, b) => a.at - b.at).map(({ at: _, ...rest }) => rest)
}

/** Package name of a bare specifier: `@a/b/c` → `@a/b`; undefined for a relative path or a `node:` builtin. */
export function packageOf(specifier: string): string | undefined {
  if (specifier.startsWith('.') || specifier.startsWith('/') || specifier.startsWith('node:')) return undefined
  const parts = specifier.split('/')
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0]
}
