import { StringDecoder } from 'node:string_decoder'

/** A line that was longer than is read. */
export const TOO_LONG: unique symbol = Symbol('a line that is too long')

/** Lines of UTF-8, one in memory at a time; of one with more than `most` characters nothing but that it was there. */
export async function* linesOf(chunks: AsyncIterable<Buffer>, most: number): AsyncGenerator<string | typeof TOO_LONG> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  let isSkipping = false
  for await (const chunk of chunks) {
    const parts = decoder.write(chunk).split('\n')
    for (const [at, part] of parts.entries()) {
      if (!isSkipping) rest += part
      if (rest.length > most) {
        isSkipping = true
        rest = ''
      }
      if (at === parts.length - 1) break
      yield isSkipping ? TOO_LONG : rest
      rest = ''
      isSkipping = false
    }
  }
  rest += decoder.end()
  if (isSkipping) yield TOO_LONG
  else if (rest !== '') yield rest
}
