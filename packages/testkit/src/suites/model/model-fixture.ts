import type { ModelEndpoint, ModelProvider, Plugin } from '@switchyard/contract'
import { model } from '@switchyard/contract'
import type { ConformanceCase, Mutant, Opened, Subject } from '../../conformance/suite.ts'
import { type PluginSubjectOptions, pluginSubject } from '../../plugin/plugin-subject.ts'
import { type FakeUpstream, type FakeUpstreamOptions, startFakeUpstream } from '../../upstream/fake-upstream.ts'

/** What the model suite needs beside the provider. */
export interface ModelFixture {
  /** The provider's upstream, fresh for each case. */
  readonly upstream: FakeUpstream
  /** The key that the provider presents to its upstream; a canary, which must show nowhere. */
  readonly apiKey: string
  /** Model to ask the provider for: `provider/model`, or as the provider names it. */
  readonly model: string
  /** What the upstream must then receive as `model`. */
  readonly upstreamModel: string
  /** As `model`, for embeddings. */
  readonly embeddingModel: string
  /**
   * False where another gateway between provider and upstream re-encodes bodies and follows redirects, so that what depends on
   * the very bytes is not examined.
   */
  readonly verbatim: boolean
  /**
   * True where the upstream speaks another dialect than chat, into which chats are translated: fields that it has no word for are
   * not examined, nor is what depends on the very bytes.
   */
  readonly translated: boolean
  /** Endpoints that the provider serves whole only, though it streams others: their streams must be UNSUPPORTED. */
  readonly unstreamed: readonly ModelEndpoint[]
}

/** The names of `ModelFixture` that differ from provider to provider. */
export interface ModelNaming {
  /** Default: `fake/gpt-fake`. */
  readonly model?: string
  /** Default: `gpt-fake`. */
  readonly upstreamModel?: string
  /** Default: `fake/embedding-fake`. */
  readonly embeddingModel?: string
  /** Default: true. */
  readonly verbatim?: boolean
  /** Default: false. */
  readonly translated?: boolean
  /** Default: none. */
  readonly unstreamed?: readonly ModelEndpoint[]
}

export type ModelCase = ConformanceCase<ModelProvider, ModelFixture>
export type ModelMutant = Mutant<ModelProvider, ModelFixture>
export type OpenedModel = Opened<ModelProvider, ModelFixture>

/** Starts the fixture of one case: a fake upstream and a key that is made for it. */
export async function openModelFixture(
  naming: ModelNaming = {},
  options: FakeUpstreamOptions = {},
): Promise<{ readonly fixture: ModelFixture; close(): Promise<void> }> {
  const upstream = await startFakeUpstream(options)
  const fixture: ModelFixture = {
    upstream,
    // Of no vendor's form: what redacts by form alone must not pass.
    apiKey: `3f9a71c2d84e${upstream.port}canary`,
    model: naming.model ?? 'fake/gpt-fake',
    upstreamModel: naming.upstreamModel ?? 'gpt-fake',
    embeddingModel: naming.embeddingModel ?? 'fake/embedding-fake',
    verbatim: naming.verbatim ?? naming.translated !== true,
    translated: naming.translated ?? false,
    unstreamed: naming.unstreamed ?? [],
  }
  return { fixture, close: () => upstream.close() }
}

export interface ModelSubjectOptions
  extends Omit<PluginSubjectOptions<ModelProvider, ModelFixture>, 'port' | 'fixture'>,
    ModelNaming {
  /** Makes the plugin that is to talk to `fixture.upstream.url` with `fixture.apiKey`. */
  plugin(fixture: ModelFixture): Plugin
}

/** A subject of the model suite: a provider plugin, started anew against a fresh fake upstream for every case, on the system clock. */
export function modelSubject(options: ModelSubjectOptions): Subject<ModelProvider, ModelFixture> {
  const { model: name, upstreamModel, embeddingModel, verbatim, translated, unstreamed, ...rest } = options
  const naming: ModelNaming = {
    ...(name === undefined ? {} : { model: name }),
    ...(upstreamModel === undefined ? {} : { upstreamModel }),
    ...(embeddingModel === undefined ? {} : { embeddingModel }),
    ...(verbatim === undefined ? {} : { verbatim }),
    ...(translated === undefined ? {} : { translated }),
    ...(unstreamed === undefined ? {} : { unstreamed }),
  }
  return pluginSubject<ModelProvider, ModelFixture>({
    clock: 'system',
    ...rest,
    port: model,
    fixture: () => openModelFixture(naming),
  })
}
