import { EXIT } from '../errors.ts';
import type { Nix } from '../store/nix.ts';
import { lackingContents, placeFiles } from '../store/plan.ts';
import type { BringContext } from './bring.ts';
import { entriesNamed } from './entries.ts';
import { fetchJson, type FetchReport, fetchText } from './fetch-report.ts';
import { importContents } from './import-contents.ts';
import { type ProjectContext, readLockedProject } from './project.ts';
import type { CommandResult } from './result.ts';

/** What `import` needs from outside. */
export interface ImportContext extends ProjectContext, BringContext {
  readonly openNix: () => Promise<Nix>;
}

/**
 * `nix-hug import [name…]`: brings what the Hugging Face cache has of the lock into the Nix store,
 * without any network.
 *
 * @throws HugError `EHUG_NOT_CACHED` for what the cache lacks; the rest is in the store then
 */
export async function run(
  names: readonly string[],
  context: ImportContext,
): Promise<CommandResult> {
  const { lock, warnings } = await readLockedProject(context);
  for (const warning of warnings) context.warn(warning);
  const entries = entriesNamed(lock, names);
  const nix = await context.openNix();
  const { storeFolder } = await nix.facts();
  const files = placeFiles(entries, storeFolder);
  const missing = await nix.missing([...new Set(files.map(({ storePath }) => storePath))]);
  const contents = lackingContents(files, missing);
  const sources = await importContents(contents, { nix, storeFolder }, context);
  const report: FetchReport = { entries, files, contents, sources };
  return { json: fetchJson(report), text: fetchText(report), exitStatus: EXIT.ok };
}
