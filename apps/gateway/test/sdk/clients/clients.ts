import { anthropicMessages } from './anthropic-messages.ts'
import type { Client, Reach } from './client.ts'
import { langChain } from './langchain.ts'
import { openAiChat } from './openai-chat.ts'
import { openAiResponses } from './openai-responses.ts'
import { vercelAi } from './vercel-ai.ts'

/** Every SDK with every API of it that can reach a chat model. */
export function clients(reach: Reach): readonly Client[] {
  return [openAiChat(reach), openAiResponses(reach), anthropicMessages(reach), ...vercelAi(reach), ...langChain(reach)]
}
