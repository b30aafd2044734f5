import OpenAI from 'openai'
import { zodResponseFormat } from 'openai/helpers/zod'
import type { ChatCompletionContentPart, ChatCompletionMessageParam, ChatCompletionTool } from 'openai/resources'
import type { Client, Prompt, Reach, Said } from './client.ts'
import { CITY, jsonSchema, runTool, TOOLS } from './wishes.ts'

const tools = Object.entries(TOOLS).map(
  ([name, { description, schema }]): ChatCompletionTool => ({
    type: 'function',
    function: { name, description, parameters: jsonSchema(schema), strict: true },
  }),
)

/** OpenAI's SDK, `chat.completions`. */
export function openAiChat({ url, key }: Reach): Client {
  const { chat } = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 })
  return {
    name: 'OpenAI SDK, chat',
    endpoint: 'chat/completions',
    ends: { stop: 'stop', length: 'length' },

    async text(prompt) {
      const reply = await chat.completions.create(body(prompt))
      const [choice] = reply.choices
      return { text: choice?.message.content ?? '', ended: choice?.finish_reason, ...usageOf(reply.usage) }
    },

    async stream(prompt, piece, signal) {
      const asked = { ...body(prompt), stream: true, stream_options: { include_usage: true } } as const
      const stream = await chat.completions.create(asked, { ...(signal && { signal }) })
      let said: Said = { text: '', ended: undefined, inputTokens: undefined, outputTokens: undefined }
      for await (const { choices, usage } of stream) {
        const text = choices[0]?.delta.content ?? ''
        if (text !== '') piece(text)
        said = { ...said, text: said.text + text, ended: choices[0]?.finish_reason ?? said.ended, ...(usage && usageOf(usage)) }
      }
      // The SDK's iterator ends quietly where its caller leaves.
      signal?.throwIfAborted()
      return said
    },

    async tools(prompt, streamed) {
      const asked = { ...body(prompt), tools }
      for (;;) {
        const reply = streamed
          ? await chat.completions.stream(asked).finalChatCompletion()
          : await chat.completions.create(asked)
        const message = reply.choices[0]?.message
        if (message?.tool_calls === undefined || message.tool_calls.length === 0) return message?.content ?? ''
        asked.messages.push(message)
        for (const call of message.tool_calls) {
          if (call.type !== 'function') throw new Error(`a call of type ${call.type}`)
          const content = runTool(call.function.name, JSON.parse(call.function.arguments))
          asked.messages.push({ role: 'tool', tool_call_id: call.id, content })
        }
      }
    },

    async object(prompt) {
      const reply = await chat.completions.parse({ ...body(prompt), response_format: zodResponseFormat(CITY, 'city') })
      return reply.choices[0]?.message.parsed
    },

    failure: openAiFailure,
  }
}

/** Of either of its APIs. */
export function openAiFailure(error: unknown): { status: unknown; message: string } {
  if (!(error instanceof OpenAI.APIError)) throw error
  return { status: error.status, message: error.message }
}

function body({ model, system, text, image, maxTokens }: Prompt) {
  const content: ChatCompletionContentPart[] = [{ type: 'text', text }]
  if (image !== undefined) {
    const url = 'url' in image ? image.url : `data:${image.type};base64,${image.base64}`
    content.push({ type: 'image_url', image_url: { url } })
  }
  const messages: ChatCompletionMessageParam[] = [{ role: 'user', content }]
  if (system !== undefined) messages.unshift({ role: 'system', content: system })
  return { model, messages, ...(maxTokens !== undefined && { max_completion_tokens: maxTokens }) }
}

function usageOf(usage: OpenAI.CompletionUsage | undefined) {
  return { inputTokens: usage?.prompt_tokens, outputTokens: usage?.completion_tokens }
}
