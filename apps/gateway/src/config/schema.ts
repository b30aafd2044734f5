import { isSecret, type Plugin, type Secret, secret } from '@switchyard/contract'
import { z } from 'zod'
import type { Settings } from './settings.ts'

const milliseconds = (fallback: number): z.ZodDefault<z.ZodInt> => z.int().min(0).default(fallback)

const server = z.strictObject({
  host: z.string().min(1).default('127.0.0.1'),
  port: z.int().min(0).max(65_535).default(8080),
  maxBodyBytes: z.int().min(1).default(20_971_520),
  maxHeaderBytes: z.int().min(1024).default(16_384),
  headersTimeoutMs: milliseconds(10_000),
  requestTimeoutMs: milliseconds(60_000),
  callTimeoutMs: z.int().min(1).max(86_400_000).default(600_000),
  keepAliveTimeoutMs: milliseconds(65_000),
  slowClientTimeoutMs: z.int().min(1).default(60_000),
  drainDelayMs: milliseconds(0),
  drainTimeoutMs: milliseconds(20_000),
})

const secretValue = z
  .union([z.string().min(1, 'must not be empty'), z.custom<Secret>(isSecret)], 'must be a string or a Secret')
  .transform((value) => secret(value))

const key = z.strictObject({
  key: secretValue,
  tenant: z.string().min(1),
  id: z.string().min(1).optional(),
  team: z.string().min(1).optional(),
  roles: z.array(z.string()).optional(),
})

const namedPlugin = z.strictObject({
  use: z.string().min(1),
  export: z.string().optional(),
  options: z.record(z.string(), z.unknown()).optional(),
  as: z.string().optional(),
  bind: z.record(z.string(), z.string()).optional(),
})
const madePlugin = z.custom<Plugin>(
  (value) => typeof value === 'object' && value !== null && 'definition' in value && 'placement' in value,
)

/** Validates a configuration file's content; unknown keys are errors. */
export const settingsSchema: z.ZodType<Settings> = z.strictObject({
  server: server.prefault({}),
  auth: z.strictObject({ keys: z.array(key).default([]) }).prefault({}),
  log: z.strictObject({ level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info') }).prefault({}),
  dataDir: z.string().min(1).default('.switchyard'),
  catalog: z.strictObject({ overrides: z.string().min(1).optional(), update: z.boolean().default(false) }).prefault({}),
  embedded: z
    .union([z.boolean(), z.strictObject({ portkey: z.boolean().default(true), demo: z.boolean().default(true) })])
    .optional(),
  plugins: z
    .array(z.union([madePlugin, namedPlugin], 'must be a plugin: call its factory, or write { use: "package", options: {…} }'))
    .optional(),
})
