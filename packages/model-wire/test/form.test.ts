import { SwitchyardError } from '@switchyard/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { editFormField, formFields, isForm } from '../src/index.ts'

const TYPE = 'multipart/form-data; boundary=edge'

function form(...parts: readonly string[]): Buffer {
  return Buffer.from(`${parts.map((part) => `--edge\r\n${part}\r\n`).join('')}--edge--\r\n`)
}
const field = (name: string, value: string): string => `Content-Disposition: form-data; name="${name}"\r\n\r\n${value}`
const refusal = (work: () => unknown): unknown => {
  try {
    return work()
  } catch (error) {
    return SwitchyardError.is(error, 'INVALID_REQUEST') ? 'INVALID_REQUEST' : error
  }
}

describe('a form that might be read in two ways is refused', () => {
  const model = field('model', 'a')
  test.each<[string, Buffer, string?]>([
    ['no such field', form(field('file', 'x'))],
    ['two of them', form(model, field('model', 'b'))],
    ['a file in its place', form('Content-Disposition: form-data; name="model"; filename="a"\r\n\r\na')],
    ['a second name in the part', form(field('x"; name="model', 'b'), model)],
    ['an escaped name', form(model, field('mod\\el', 'b'))],
    ['a percent-encoded name', form(model, field('mod%65l', 'b'))],
    ['an extended name', form(model, "Content-Disposition: form-data; name*=utf-8''model\r\n\r\nb")],
    [
      'an extended name behind a plain one',
      form(model, `Content-Disposition: form-data; name="x"; name*=utf-8''model\r\n\r\nb`),
    ],
    ['a name without quotes', form('Content-Disposition: form-data; name=model\r\n\r\na')],
    ['two dispositions', form(`Content-Disposition: form-data; name="x"\r\n${model}`)],
    ['a part without a disposition', form('Content-Type: text/plain\r\n\r\na', model)],
    ['no end', Buffer.from(`--edge\r\n${model}\r\n`)],
    ['no part at all', Buffer.from('hello')],
    ['nothing', Buffer.alloc(0)],
    ['a part that is only begun', Buffer.from('--edge\r\nContent-Disposition')],
    ['a longer boundary', Buffer.from(`--edge\r\n${model}\r\n--edges\r\n--edge--`)],
    ['a boundary behind a bare line feed', form(field('prompt', `x\n--edge\r\n${field('model', 'b')}`), model)],
    ['a boundary after the end', Buffer.from(`--edge\r\n${model}\r\n--edge--\r\n--edge\r\n${field('model', 'b')}\r\n--edge--`)],
    [
      'a header behind a bare line feed',
      form(model, `X: y\nContent-Disposition: form-data; name="model"\r\n${field('x', 'b')}`),
    ],
    ['something before its first boundary', Buffer.from(`x\r\n${form(model).toString()}`)],
    ['too many parts', form(...Array.from({ length: 300 }, (_, index) => field(`f${index}`, 'x')), model)],
    ['no boundary in its type', form(model), 'multipart/form-data; charset=utf-8'],
    ['two boundaries in its type', form(model), `${TYPE}; boundary=other`],
  ])('%s', (_, raw, type = TYPE) => {
    expect(refusal(() => editFormField(raw, type, 'model', 'b'))).toBe('INVALID_REQUEST')
  })
})

test.each([TYPE, 'multipart/form-data; boundary="edge"', 'Multipart/Form-Data;charset=utf-8; Boundary=edge'])(
  'of type %s, only the value changes',
  (type) => {
    const raw = form(field('file', '\u0000--edg\r\nmodel'), field('model', 'openai/whisper-1'), field('prompt', 'a'))
    expect(isForm(type)).toBe(true)
    expect(Buffer.from(editFormField(raw, type, 'model', 'w')).toString()).toBe(raw.toString().replace('openai/whisper-1', 'w'))
  },
)

test('what stands after the parts stays, and values may be empty', () => {
  const raw = Buffer.from(`${form(field('model', '')).toString()}epilogue`)
  expect(Buffer.from(editFormField(raw, TYPE, 'model', 'm')).toString()).toBe(
    raw.toString().replace('\r\n\r\n\r\n', '\r\n\r\nm\r\n'),
  )
})

test.each([undefined, '', 'application/json', 'multipart/form-data', 'multipart/mixed; boundary=x'])(
  '%j is no form',
  (type) => {
    expect(isForm(type)).toBe(false)
  },
)

test('fields are those that are texts, the last of a name', () => {
  const file = 'Content-Disposition: form-data; name="file"; filename="a;name=x.wav"\r\nContent-Type: audio/wav\r\n\r\nRIFF'
  expect({ ...formFields(form(file, field('model', 'a'), field('model', 'ü')), TYPE) }).toEqual({ model: 'ü' })
  expect({ ...formFields(form(field('__proto__', 'x')), TYPE) }).toEqual({ ['__proto__']: 'x' })
})

test('forms as fetch writes them are read as fetch reads them', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.stringMatching(/^[a-z_[\]]{1,9}$/), fc.string()), { maxLength: 5 }),
      fc.uint8Array({ maxLength: 90 }),
      fc.string({ maxLength: 20 }).filter((value) => !/[\r\n]/.test(value)),
      async (fields, file, value) => {
        const given = new FormData()
        for (const [name, text] of fields) if (name !== 'model') given.append(name, text)
        given.append('file', new Blob([Buffer.from(file)]), 'speech.wav')
        given.append('model', 'acme/whisper')
        const written = new Response(given)
        const type = written.headers.get('content-type') as string
        const edited = editFormField(await written.bytes(), type, 'model', value)
        const read = await new Response(Buffer.from(edited), { headers: { 'content-type': type } }).formData()
        expect(read.get('model')).toBe(Buffer.from(value).toString())
        expect(await (read.get('file') as Blob).bytes()).toEqual(file)
        expect([...read.keys()].length).toBe([...given.keys()].length)
      },
    ),
  )
})
