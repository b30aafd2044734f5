import { catalog } from '@switchyard/catalog'
import { model, router } from '@switchyard/contract'
import type { Kernel } from '@switchyard/kernel'
import { type ModelDirectory, modelDirectory } from './model-directory.ts'

/** The directory of the assembly that is at work. */
export function directoryOf(kernel: Pick<Kernel, 'all'>): ModelDirectory {
  const [source] = kernel.all(catalog).values()
  return modelDirectory(kernel.all(model), { routers: kernel.all(router), catalog: source })
}
