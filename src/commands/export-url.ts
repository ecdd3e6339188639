import type { HubApi } from '../hub/api.ts';
import { isGitId } from '../integrity.ts';
import { type ExportContext, exportAll } from './export-all.ts';
import { type Exported, exportedFile, treeItem } from './export-plan.ts';
import { lookUp, type RemoteContext, withHub } from './remote.ts';
import { type RemoteOptions, type Wanted, wantedOf } from './remote-options.ts';
import type { CommandResult } from './result.ts';

/**
 * `nix-hug export <url>`: writes a repository into the Hugging Face cache, as the official client
 * would have it there.
 */
export async function run(
  url: string,
  options: RemoteOptions,
  context: RemoteContext & ExportContext,
): Promise<CommandResult> {
  const wanted = wantedOf(url, options, context.endpoint);
  const exported = await withHub(context, (hub) => inspect(hub, wanted, context.warn));
  return exportAll([exported], undefined, context);
}

async function inspect(
  hub: HubApi,
  wanted: Wanted,
  warn: (line: string) => void,
): Promise<Exported> {
  const { id, ref } = wanted;
  const { type, repo, rev, all, files } = await lookUp(hub, wanted, warn);
  const selected = files.flatMap((file) => exportedFile(file) ?? []);
  if (selected.length < files.length) throw hub.gated(type, repo);
  const tree = all.flatMap((file) => treeItem(file) ?? []);
  return {
    title: `${type} ${repo}`,
    name: null,
    type,
    repo,
    ids: id === repo ? [repo] : [id, repo],
    ref,
    rev,
    isNewest: !isGitId(ref),
    files: selected,
    tree,
  };
}
