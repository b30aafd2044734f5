import { gunzipSync } from 'node:zlib'

/** The lines of a file's bytes, gunzipped where they are gzip. Throws a TypeError naming the file where gzip is damaged. */
export function outcomeLines(file: string, bytes: Uint8Array): readonly string[] {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b)
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8').split('\n')
  try {
    return gunzipSync(bytes).toString('utf8').split('\n')
  } catch (error) {
    throw new TypeError(`${file} is damaged gzip. Fetch it again.`, { cause: error })
  }
}

/** A file's name without folder and endings, which is its entry in `datasets.json`; undefined where it is no file of outcomes. */
export function outcomeSetName(file: string): string | undefined {
  const name = file.slice(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1)
  for (const ending of ['.jsonl.gz', '.ndjson.gz', '.jsonl', '.ndjson'])
    if (name.endsWith(ending)) return name.slice(0, -ending.length)
  return undefined
}
