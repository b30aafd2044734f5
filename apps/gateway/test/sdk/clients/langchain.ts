import { ChatAnthropic } from '@langchain/anthropic'
import type { BaseChatModel } from '@langchain/core/language_models/chat_models'
import {
  AIMessageChunk,
  type BaseMessage,
  HumanMessage,
  SystemMessage,
  ToolMessage,
  type UsageMetadata,
} from '@langchain/core/messages'
import { tool } from '@langchain/core/tools'
import { ChatOpenAI } from '@langchain/openai'
import type { Client, Prompt, Reach, Said } from './client.ts'
import { CITY, runTool, TOOLS } from './wishes.ts'

const tools = Object.entries(TOOLS).map(([name, { description, schema, run }]) => tool(run, { name, description, schema }))

/** LangChain's chat models over each of their APIs. */
export function langChain({ url, key }: Reach): readonly Client[] {
  const openai =
    (useResponsesApi: boolean) =>
    ({ model, maxTokens }: Prompt): ChatOpenAI =>
      new ChatOpenAI({
        model,
        apiKey: key,
        configuration: { baseURL: `${url}/v1` },
        maxRetries: 0,
        useResponsesApi,
        ...(maxTokens !== undefined && { maxTokens }),
      })
  const anthropic = ({ model, maxTokens = 1_000 }: Prompt): ChatAnthropic =>
    new ChatAnthropic({ model, apiKey: key, anthropicApiUrl: url, maxRetries: 0, maxTokens })
  const chatEnds = { stop: 'stop', length: 'length' }
  return [
    client('LangChain, ChatOpenAI', 'chat/completions', chatEnds, openai(false)),
    client('LangChain, ChatOpenAI by responses', 'responses', { stop: 'completed', length: 'incomplete' }, openai(true)),
    {
      ...client('LangChain, ChatAnthropic', 'messages', { stop: 'end_turn', length: 'max_tokens' }, anthropic),
      // It adds up what `message_start` and `message_delta` say of output, which is the same twice, and takes input from the first
      // only, where a chat target has told nothing yet.
      miscounts: { chat: { inputTokens: 0, outputTokens: 4 }, messages: { inputTokens: 7, outputTokens: 5 } },
    },
  ]
}

type ChatModel = BaseChatModel & Required<Pick<BaseChatModel, 'bindTools'>>

function client(
  name: string,
  endpoint: Client['endpoint'],
  ends: Client['ends'],
  model: (prompt: Prompt) => BaseChatModel,
): Client {
  return {
    name,
    endpoint,
    ends,

    async text(prompt) {
      return said(await model(prompt).invoke(messages(prompt)))
    },

    async stream(prompt, piece, signal) {
      const stream = await model(prompt).stream(messages(prompt), { ...(signal && { signal }) })
      return said(await gathered(stream, piece))
    },

    async tools(prompt, streamed) {
      const bound = (model(prompt) as ChatModel).bindTools(tools)
      const turns = messages(prompt)
      for (;;) {
        const reply = streamed ? await gathered(await bound.stream(turns), () => {}) : await bound.invoke(turns)
        if (reply.tool_calls === undefined || reply.tool_calls.length === 0) return reply.text
        turns.push(reply)
        for (const { id = '', name: called, args } of reply.tool_calls)
          turns.push(new ToolMessage({ tool_call_id: id, content: runTool(called, args) }))
      }
    },

    async object(prompt) {
      return model(prompt).withStructuredOutput(CITY, { method: 'jsonSchema' }).invoke(messages(prompt))
    },

    failure(error) {
      const { status, message } = error as { status?: unknown; message: string }
      return { status, message }
    },
  }
}

async function gathered(stream: AsyncIterable<AIMessageChunk>, piece: (text: string) => void): Promise<AIMessageChunk> {
  let whole = new AIMessageChunk({ content: [] })
  for await (const chunk of stream) {
    if (chunk.text !== '') piece(chunk.text)
    whole = whole.concat(chunk)
  }
  return whole
}

function messages({ system, text, image }: Prompt): BaseMessage[] {
  const turns: BaseMessage[] = system === undefined ? [] : [new SystemMessage(system)]
  if (image === undefined) return [...turns, new HumanMessage(text)]
  const block =
    'url' in image
      ? { type: 'image' as const, url: image.url }
      : { type: 'image' as const, mimeType: image.type, data: image.base64 }
  return [...turns, new HumanMessage({ contentBlocks: [{ type: 'text', text }, block] })]
}

function said(message: AIMessageChunk): Said {
  const told = message.response_metadata as Record<string, unknown>
  const usage = message.usage_metadata as UsageMetadata | undefined
  const extra = message.additional_kwargs as Record<string, unknown>
  return {
    text: message.text,
    ended: told.finish_reason ?? told.stop_reason ?? extra.stop_reason ?? told.status,
    inputTokens: usage?.input_tokens,
    outputTokens: usage?.output_tokens,
  }
}
