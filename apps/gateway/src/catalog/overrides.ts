import { readFile } from 'node:fs/promises'
import { type Override, overridesFromRows } from '@switchyard/catalog'
import { SwitchyardError } from '@switchyard/contract'

/**
 * A team's overrides. Rejects `CONFIG_INVALID` for a file that cannot be read or is no JSON array, and for bad rows, all at once:
 * a price that is left out would be billed wrong without a word. So are rows of single tenants, which one catalog cannot hold.
 */
export async function readOverrides(path: string): Promise<readonly Override[]> {
  let rows: unknown
  try {
    rows = JSON.parse(await readFile(path, 'utf8'))
  } catch (cause) {
    throw invalid(`${path} cannot be read: ${(cause as Error).message}`, cause)
  }
  if (!Array.isArray(rows)) throw invalid(`${path} is no JSON array of rows`)
  return overridesOf(rows, path)
}

/** Overrides from rows that are at hand; `where` names them in errors. @throws SwitchyardError as `readOverrides`. */
export function overridesOf(rows: readonly unknown[], where: string): readonly Override[] {
  const { overrides, rejected } = overridesFromRows(rows)
  const problems = rejected.map(({ row, reason }) => `row ${row + 1}: ${reason}`)
  for (const { provider, model, tenant } of overrides)
    if (tenant !== undefined)
      problems.push(`${provider}/${model}: prices of a single tenant (${tenant}) are not supported here`)
  if (problems.length > 0) throw invalid(`${where}:\n${problems.map((problem) => `  ${problem}`).join('\n')}`)
  return overrides
}

function invalid(message: string, cause?: unknown): SwitchyardError {
  return new SwitchyardError('CONFIG_INVALID', `catalog overrides: ${message}`, cause === undefined ? {} : { cause })
}
