import Anthropic from '@anthropic-ai/sdk'
import { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod'
import type { ContentBlockParam, ImageBlockParam, Message, MessageParam, Tool } from '@anthropic-ai/sdk/resources/messages'
import type { Client, Prompt, Reach, Said } from './client.ts'
import { CITY, jsonSchema, runTool, TOOLS } from './wishes.ts'

const tools = Object.entries(TOOLS).map(
  ([name, { description, schema }]): Tool => ({
    name,
    description,
    input_schema: jsonSchema(schema) as Tool.InputSchema,
  }),
)

/** Anthropic's SDK, `messages`. */
export function anthropicMessages({ url, key }: Reach): Client {
  const { messages } = new Anthropic({ baseURL: url, apiKey: key, maxRetries: 0 })
  return {
    name: 'Anthropic SDK',
    endpoint: 'messages',
    ends: { stop: 'end_turn', length: 'max_tokens' },

    async text(prompt) {
      return said(await messages.create(body(prompt)))
    },

    async stream(prompt, piece, signal) {
      const stream = messages.stream(body(prompt), { ...(signal && { signal }) })
      stream.on('text', (delta) => piece(delta))
      return said(await stream.finalMessage())
    },

    async tools(prompt, streamed) {
      const asked = { ...body(prompt), tools }
      for (;;) {
        const reply = streamed ? await messages.stream(asked).finalMessage() : await messages.create(asked)
        const calls = reply.content.filter((block) => block.type === 'tool_use')
        if (reply.stop_reason !== 'tool_use') return said(reply).text
        const results = calls.map(
          ({ id, name, input }): ContentBlockParam => ({
            type: 'tool_result',
            tool_use_id: id,
            content: runTool(name, input),
          }),
        )
        asked.messages.push({ role: 'assistant', content: reply.content }, { role: 'user', content: results })
      }
    },

    async object(prompt) {
      const reply = await messages.parse({ ...body(prompt), output_config: { format: zodOutputFormat(CITY) } })
      return reply.parsed_output
    },

    failure(error) {
      if (!(error instanceof Anthropic.APIError)) throw error
      return { status: error.status, message: error.message }
    },
  }
}

function body({ model, system, text, image, maxTokens = 1_000 }: Prompt) {
  const content: ContentBlockParam[] = [{ type: 'text', text }]
  if (image !== undefined) {
    const source = (
      'url' in image ? { type: 'url', ...image } : { type: 'base64', media_type: image.type, data: image.base64 }
    ) as ImageBlockParam['source']
    content.push({ type: 'image', source })
  }
  const messages: MessageParam[] = [{ role: 'user', content }]
  return { model, max_tokens: maxTokens, messages, ...(system !== undefined && { system }) }
}

function said({ content, stop_reason, usage }: Message): Said {
  const text = content.map((block) => (block.type === 'text' ? block.text : '')).join('')
  const cached = (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0)
  return { text, ended: stop_reason, inputTokens: usage.input_tokens + cached, outputTokens: usage.output_tokens }
}
