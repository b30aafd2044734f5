import OpenAI from 'openai'
import { zodTextFormat } from 'openai/helpers/zod'
import type { FunctionTool, Response, ResponseInput, ResponseInputContent } from 'openai/resources/responses/responses'
import type { Client, Prompt, Reach, Said } from './client.ts'
import { openAiFailure } from './openai-chat.ts'
import { CITY, jsonSchema, runTool, TOOLS } from './wishes.ts'

const tools = Object.entries(TOOLS).map(
  ([name, { description, schema }]): FunctionTool => ({
    type: 'function',
    name,
    description,
    parameters: jsonSchema(schema),
    strict: true,
  }),
)

/** OpenAI's SDK, `responses`. */
export function openAiResponses({ url, key }: Reach): Client {
  const { responses } = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 })
  return {
    name: 'OpenAI SDK, responses',
    endpoint: 'responses',
    ends: { stop: 'completed', length: 'max_output_tokens' },

    async text(prompt) {
      return said(await responses.create(body(prompt)))
    },

    async stream(prompt, piece, signal) {
      const stream = responses.stream(body(prompt), { ...(signal && { signal }) })
      stream.on('response.output_text.delta', ({ delta }) => piece(delta))
      return said(await stream.finalResponse())
    },

    async tools(prompt, streamed) {
      const asked = { ...body(prompt), tools }
      for (;;) {
        const reply: Response = streamed ? await responses.stream(asked).finalResponse() : await responses.create(asked)
        const calls = reply.output.filter((item) => item.type === 'function_call')
        if (calls.length === 0) return reply.output_text
        asked.input.push(...(reply.output as ResponseInput))
        for (const { name, call_id, arguments: given } of calls)
          asked.input.push({ type: 'function_call_output', call_id, output: runTool(name, JSON.parse(given)) })
      }
    },

    async object(prompt) {
      const reply = await responses.parse({ ...body(prompt), text: { format: zodTextFormat(CITY, 'city') } })
      return reply.output_parsed
    },

    failure: openAiFailure,
  }
}

function body({ model, system, text, image, maxTokens }: Prompt) {
  const content: ResponseInputContent[] = [{ type: 'input_text', text }]
  if (image !== undefined) {
    const image_url = 'url' in image ? image.url : `data:${image.type};base64,${image.base64}`
    content.push({ type: 'input_image', image_url, detail: 'auto' })
  }
  const input: ResponseInput = [{ role: 'user', content }]
  return {
    model,
    input,
    ...(system !== undefined && { instructions: system }),
    ...(maxTokens !== undefined && { max_output_tokens: maxTokens }),
  }
}

function said({ output_text, status, incomplete_details, usage }: Response): Said {
  const ended = incomplete_details?.reason ?? status
  return { text: output_text, ended, inputTokens: usage?.input_tokens, outputTokens: usage?.output_tokens }
}
