import { z } from 'zod'

export const WEATHER: z.ZodObject<{ city: z.ZodString; days: z.ZodInt }> = z.object({
  city: z.string().describe('Where'),
  days: z.int().min(1).max(7),
})
export const NEWS: z.ZodObject<{ topic: z.ZodEnum<{ trams: 'trams'; boats: 'boats' }> }> = z.object({
  topic: z.enum(['trams', 'boats']),
})

/** One function that the model may call. */
interface OwnTool<Input extends z.ZodType> {
  readonly description: string
  readonly schema: Input
  /** Rejects arguments that do not fit. */
  readonly run: (input: unknown) => string
}

/** Those that the model may call. What they give tells what they were called with. */
export const TOOLS: { readonly weather: OwnTool<typeof WEATHER>; readonly news: OwnTool<typeof NEWS> } = {
  weather: {
    description: 'The weather of the next days',
    schema: WEATHER,
    run: (input: unknown): string => {
      const { city, days } = WEATHER.parse(input)
      return `${days} days of sun in ${city}`
    },
  },
  news: {
    description: 'What is new',
    schema: NEWS,
    run: (input: unknown): string => `nothing about ${NEWS.parse(input).topic}`,
  },
}

/** What an attentive model says once both were called. */
export const SAID_OF_TOOLS = 'The tools said: 3 days of sun in Grüße 🚃 and nothing about trams'

/** Runs one by name. */
export function runTool(name: string, input: unknown): string {
  return TOOLS[name as keyof typeof TOOLS].run(input)
}

/** A schema with a list, a nested object and a member that may be null. */
export const CITY: z.ZodType<object> = z.object({
  name: z.string(),
  population: z.int(),
  districts: z.array(z.object({ name: z.string(), lakeside: z.boolean() })),
  mayor: z.string().nullable(),
})

/** What an attentive model fills it with. */
export const FILLED_CITY: object = {
  name: 'Grüße 🚃',
  population: 3,
  districts: [{ name: 'Grüße 🚃', lakeside: true }],
  mayor: 'Grüße 🚃',
}

/** JSON schema of a tool or an object, as SDKs write it that take no zod. */
export function jsonSchema(schema: z.ZodType): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema)
  return rest
}
