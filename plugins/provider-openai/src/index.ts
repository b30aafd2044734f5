export { type OpenAiInput, type OpenAiOptions, openAiOptions } from './options.ts'
export { openai } from './plugin.ts'
