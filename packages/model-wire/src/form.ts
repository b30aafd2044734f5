import { SwitchyardError } from '@switchyard/contract'

/** One part of a form, its value as a range of the form's bytes. */
interface FormPart {
  readonly name: string
  readonly isFile: boolean
  readonly start: number
  readonly end: number
}

/** Any client's form has some ten. */
const MAX_PARTS = 256
const DASHES = '--'
const LINE_END = '\r\n'
const DISPOSITION = /^content-disposition:[ \t]*form-data[ \t]*;[ \t]*name="([^"\\%]*)"[ \t]*(;.*)?$/i
const QUOTED = /"(?:[^"\\]|\\.)*"/g

/** Whether a content type is that of a form with files. */
export function isForm(contentType: string | undefined): contentType is string {
  return contentType !== undefined && /^multipart\/form-data[ \t]*;/i.test(contentType)
}

/** The values of a form that are texts, by name; the last of a name, as most servers take it. Throws `INVALID_REQUEST` as `editFormField` does. */
export function formFields(raw: Uint8Array, contentType: string): Record<string, string> {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength)
  const fields: Record<string, string> = Object.create(null)
  for (const { name, isFile, start, end } of partsOf(bytes, contentType))
    if (!isFile) fields[name] = bytes.toString('utf8', start, end)
  return fields
}

/**
 * Replaces the value of a field in the bytes of a form; every other byte stays as it is. Throws `INVALID_REQUEST` for what is no whole
 * form, for a form without this one field, and for any that another parser might read in another way: which model was asked for must be
 * the same to everyone.
 * @param value Text without a line end.
 */
export function editFormField(raw: Uint8Array, contentType: string, name: string, value: string): Uint8Array {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength)
  const [part, second] = partsOf(bytes, contentType).filter((candidate) => candidate.name === name)
  if (part === undefined || second !== undefined || part.isFile) throw invalid(`must have one text field "${name}"`, name)
  return Buffer.concat([bytes.subarray(0, part.start), Buffer.from(value), bytes.subarray(part.end)])
}

function partsOf(bytes: Buffer, contentType: string): readonly FormPart[] {
  const mark = `${DASHES}${boundaryOf(contentType)}`
  const opening = LINE_END + mark
  const parts: FormPart[] = []
  if (bytes.indexOf(mark) !== 0) throw invalid('does not begin with its boundary')
  let at = 0
  while (true) {
    at += mark.length
    const next = bytes.toString('latin1', at, at + 2)
    if (next === DASHES && !bytes.includes(mark, at)) return parts
    const headEnd = bytes.indexOf(LINE_END + LINE_END, at)
    const start = headEnd + 4
    const end = bytes.indexOf(opening, start)
    // Some servers take a boundary behind any line end.
    if (next !== LINE_END || headEnd === -1 || end === -1 || bytes.subarray(at, end).includes(mark))
      throw invalid('is cut off, or its boundary is within a part')
    if (parts.length === MAX_PARTS) throw invalid(`has more than ${MAX_PARTS} parts`)
    parts.push({ ...namedBy(bytes.toString('utf8', at + 2, headEnd)), start, end })
    at = end + LINE_END.length
  }
}

function boundaryOf(contentType: string): string {
  const found = [...contentType.matchAll(/;[ \t]*boundary=(?:"([^"\\]{1,70})"|([^\s;"]{1,70}))(?=[ \t]*(?:;|$))/gi)]
  const boundary = found[0]?.[1] ?? found[0]?.[2]
  if (boundary === undefined || found.length > 1) throw invalid('has no boundary in its content-type')
  return boundary
}

function namedBy(head: string): Pick<FormPart, 'name' | 'isFile'> {
  const all = head.split(LINE_END)
  const lines = all.filter((line) => /^content-disposition[ \t]*:/i.test(line))
  const [, name, rest = ''] = DISPOSITION.exec(lines[0] ?? '') ?? []
  const others = rest.replace(QUOTED, '')
  if (name === undefined || lines.length > 1 || all.some((line) => /[\r\n]/.test(line)) || /;[ \t]*name\b/i.test(others))
    throw invalid('has a part without a plain content-disposition: form-data; name="..."')
  return { name, isFile: /;[ \t]*filename\b/i.test(others) }
}

function invalid(what: string, param?: string): SwitchyardError {
  return new SwitchyardError('INVALID_REQUEST', `the form ${what}`, param === undefined ? {} : { details: { param } })
}
