import { assemblyRows, assemblyTable } from './assembly-table.ts'
import { planned } from './check.ts'
import { orFail } from './failure.ts'

/** `switchyard plugins`: the assembly, as a table or as JSON. Starts nothing. */
export async function plugins(options: { readonly config?: string; readonly json: boolean }): Promise<void> {
  await orFail(async () => {
    const { assembly } = await planned(options.config)
    console.log(options.json ? JSON.stringify(assemblyRows(assembly), null, 2) : assemblyTable(assembly))
  })
}
