import { assemblyRows, assemblyTable } from './assembly-table.ts'
import { type PlanOptions, planned } from './check.ts'
import { orFail } from './failure.ts'

/** `switchyard plugins`: the assembly, as a table or as JSON. Starts nothing. */
export async function plugins(options: PlanOptions & { readonly json: boolean }): Promise<void> {
  await orFail(async () => {
    const { assembly } = await planned(options)
    console.log(options.json ? JSON.stringify(assemblyRows(assembly), null, 2) : assemblyTable(assembly))
  })
}
