import type { Problem } from '../problem.ts'
import { inputSchema, splitUnknownKeys } from './json-schema.ts'
import { nearest } from './nearest.ts'

interface Issue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

interface Validator {
  validate(input: unknown): unknown
}

/** Outcome of checking one instance's options; `options` is undefined when there are problems. */
export interface CheckedOptions {
  readonly options: unknown
  readonly problems: readonly Problem[]
}

/**
 * Validates an instance's options. Unknown keys are found by the schema's own JSON Schema, which lets the problem name the
 * nearest known one, and are then taken out, so that validation does not report them a second time.
 */
export async function checkOptions(instance: string, schema: unknown, input: unknown): Promise<CheckedOptions> {
  const described = inputSchema(schema)
  const { known, unknown } = described === undefined ? { known: input, unknown: [] } : splitUnknownKeys(described, input)
  const problems: Problem[] = unknown.map(({ path, known: names }) => {
    const meant = nearest(path.at(-1) ?? '', names)
    return {
      code: 'CONFIG_INVALID',
      plugin: instance,
      message: `unknown option "${path.join('.')}"`,
      mend: meant === undefined ? listing(names) : `Did you mean "${[...path.slice(0, -1), meant].join('.')}"?`,
    }
  })
  const validator = (schema as { '~standard': Validator })['~standard']
  try {
    const result = (await validator.validate(known)) as { issues?: readonly Issue[]; value?: unknown }
    if (result.issues === undefined) return { options: result.value, problems }
    for (const issue of result.issues) problems.push(issueProblem(instance, issue))
  } catch (error) {
    problems.push({
      code: 'CONFIG_INVALID',
      plugin: instance,
      message: `its options could not be validated: ${error instanceof Error ? error.message : String(error)}`,
      mend: "Report this to the plugin's author: its options schema throws instead of giving issues",
    })
  }
  return { options: undefined, problems }
}

function issueProblem(instance: string, issue: Issue): Problem {
  const path = (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.')
  return {
    code: 'CONFIG_INVALID',
    plugin: instance,
    message: `${path === '' ? 'its options are' : `option "${path}" is`} not valid: ${issue.message}`,
    mend: path === '' ? 'Correct the options' : `Correct "${path}"`,
  }
}

function listing(names: readonly string[]): string {
  return names.length === 0 ? 'Remove it: no option is known here' : `Remove it, or use one of: ${names.join(', ')}`
}
