import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { readModelsDev } from '../../src/feeds/models-dev.ts'
import type { SourceRow } from '../../src/merge/source-row.ts'

/** Rows of `dist/providers/*.js`, which are models.dev's models as ES modules. Old: its word counts last. */
export async function readTokenlens(folder: string, asOf: string): Promise<readonly SourceRow[]> {
  const path = join(folder, 'dist/providers')
  const rows: SourceRow[] = []
  for (const file of readdirSync(path)
    .filter((name) => name.endsWith('.js'))
    .sort()) {
    const module = (await import(pathToFileURL(join(path, file)).href)) as Readonly<Record<string, unknown>>
    for (const provider of new Set(Object.values(module))) {
      if (!isProvider(provider)) continue
      rows.push(...readModelsDev({ [provider.id]: provider }, 'tokenlens', asOf).rows)
    }
  }
  // What was active a year ago is known no longer.
  return rows.map(({ lifecycle, ...row }) =>
    lifecycle === undefined
      ? row
      : {
          ...row,
          lifecycle: { ...lifecycle, status: lifecycle.status === 'active' ? 'unknown' : (lifecycle.status ?? 'unknown') },
        },
  )
}

function isProvider(value: unknown): value is { readonly id: string } {
  return typeof value === 'object' && value !== null && 'id' in value && 'models' in value && typeof value.id === 'string'
}
