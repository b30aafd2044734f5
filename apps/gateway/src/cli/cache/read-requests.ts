import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { Labelled } from '@switchyard/cache-semantic/evaluate'

/** Reads labelled requests from JSON lines. Throws a TypeError that names the line where a field is missing. */
export async function readRequests(path: string, text: string, label: string): Promise<readonly Labelled[]> {
  const lines = (await contentOf(path)).split('\n')
  const rows: Labelled[] = []
  for (const [at, line] of lines.entries()) {
    if (line.trim() === '') continue
    const row = objectOf(line, path, at + 1)
    const asked = row[text]
    const answer = row[label]
    if (typeof asked !== 'string')
      throw new TypeError(`${path}, line ${at + 1}: "${text}" is no text. Name the field that holds it by --text.`)
    if (typeof answer !== 'string' && typeof answer !== 'number')
      throw new TypeError(`${path}, line ${at + 1}: "${label}" is no text or number. Name the field by --labels.`)
    rows.push({ text: asked, label: String(answer) })
  }
  if (rows.length === 0) throw new TypeError(`${path} holds no request. Give JSON lines {"${text}": ..., "${label}": ...}.`)
  return rows
}

async function contentOf(path: string): Promise<string> {
  let bytes: Buffer
  try {
    bytes = await readFile(resolve(path))
  } catch (error) {
    throw new TypeError(`${path} cannot be read: ${(error as Error).message}.`, { cause: error })
  }
  return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
}

function objectOf(line: string, path: string, at: number): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (error) {
    throw new TypeError(`${path}, line ${at}: ${(error as Error).message}. Give one JSON object a line.`, { cause: error })
  }
  if (typeof value !== 'object' || value === null) throw new TypeError(`${path}, line ${at} is no JSON object.`)
  return value as Readonly<Record<string, unknown>>
}
