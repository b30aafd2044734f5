import { createAnthropic } from '@ai-sdk/anthropic'
import { createOpenAI } from '@ai-sdk/openai'
import { APICallError, generateText, isStepCount, type LanguageModel, type ModelMessage, Output, streamText, tool } from 'ai'
import type { Client, Prompt, Reach, Said } from './client.ts'
import { CITY, TOOLS } from './wishes.ts'

const tools = {
  weather: tool({ description: TOOLS.weather.description, inputSchema: TOOLS.weather.schema, execute: TOOLS.weather.run }),
  news: tool({ description: TOOLS.news.description, inputSchema: TOOLS.news.schema, execute: TOOLS.news.run }),
}

/** By itself the SDK uses schemas only for models that it knows by name. */
const BY_SCHEMA = { anthropic: { structuredOutputMode: 'outputFormat' } } as const

/** The Vercel AI SDK over each of its providers and their APIs. */
export function vercelAi({ url, key }: Reach): readonly Client[] {
  const openai = createOpenAI({ baseURL: `${url}/v1`, apiKey: key })
  const anthropic = createAnthropic({ baseURL: `${url}/v1`, apiKey: key })
  return [
    client('AI SDK, openai.chat', 'chat/completions', (model) => openai.chat(model)),
    client('AI SDK, openai', 'responses', (model) => openai(model)),
    client('AI SDK, anthropic', 'messages', (model) => anthropic(model)),
  ]
}

function client(name: string, endpoint: Client['endpoint'], model: (id: string) => LanguageModel): Client {
  const asked = (prompt: Prompt) => ({
    model: model(prompt.model),
    maxRetries: 0,
    messages: [message(prompt)],
    providerOptions: BY_SCHEMA,
    ...(prompt.system !== undefined && { instructions: prompt.system }),
    ...(prompt.maxTokens !== undefined && { maxOutputTokens: prompt.maxTokens }),
  })
  return {
    name,
    endpoint,
    ends: { stop: 'stop', length: 'length' },

    async text(prompt) {
      return said(await generateText(asked(prompt)))
    },

    async stream(prompt, piece, signal) {
      const result = streamText({ ...asked(prompt), onError: () => {}, ...(signal && { abortSignal: signal }) })
      for await (const part of result.stream) {
        if (part.type === 'text-delta') piece(part.text)
        else if (part.type === 'error') throw part.error
        else if (part.type === 'abort') throw signal?.reason
      }
      return said({
        text: await result.text,
        finishReason: await result.finishReason,
        usage: await result.usage,
      })
    },

    async tools(prompt, streamed) {
      const looped = { ...asked(prompt), tools, stopWhen: isStepCount(3) }
      if (!streamed) return (await generateText(looped)).text
      return streamText(looped).text
    },

    async object(prompt) {
      return (await generateText({ ...asked(prompt), output: Output.object({ schema: CITY }) })).output
    },

    failure(error) {
      if (!APICallError.isInstance(error)) throw error
      return { status: error.statusCode, message: error.message }
    },
  }
}

function message({ text, image }: Prompt): ModelMessage {
  if (image === undefined) return { role: 'user', content: text }
  const file =
    'url' in image
      ? { type: 'image' as const, image: new URL(image.url) }
      : { type: 'image' as const, image: image.base64, mediaType: image.type }
  return { role: 'user', content: [{ type: 'text', text }, file] }
}

function said(result: {
  readonly text: string
  readonly finishReason: string
  readonly usage: { readonly inputTokens: number | undefined; readonly outputTokens: number | undefined }
}): Said {
  const { inputTokens, outputTokens } = result.usage
  return { text: result.text, ended: result.finishReason, inputTokens, outputTokens }
}
