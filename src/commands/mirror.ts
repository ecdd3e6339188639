import path from 'node:path';
import { throwFailed } from '../copy/copy.ts';
import { copyToFolder, type ToFolderResult } from '../copy/to-folder.ts';
import { EXIT } from '../errors.ts';
import { createMirrorWriter } from '../mirror/writer.ts';
import type { Output } from '../output/json-schema.ts';
import type { CommandResult } from '../output/result.ts';
import { count } from '../output/text.ts';
import type { CommandContext } from '../project/context.ts';
import { type ChosenSnapshot, readChosen } from '../project/chosen.ts';
import { amountBySource, entriesText } from '../project/copied.ts';
import type { GroupOptions } from '../project/groups.ts';
import { escapeControls } from '../quote.ts';

/**
 * `nix-hug mirror DIR`: writes the files of the lock into a folder by their SHA-256, which any web
 * server can offer as a hashed mirror of Nix.
 */
export async function run(
  context: CommandContext,
  dir: string,
  groups: GroupOptions,
): Promise<CommandResult> {
  const { snapshots, note } = readChosen(context, [], groups, { allGroups: true });
  const folder = path.resolve(context.cwd, dir);
  const result = await copyToFolder(snapshots, createMirrorWriter(folder, context.signal), context);
  throwFailed(result);
  const isChanged = result.missing.length > 0;
  return {
    text: mirrorText(folder, snapshots, result),
    json: mirrorJson(folder, snapshots, result),
    note,
    next: isChanged
      ? `offer ${escapeControls(folder)} with a web server, and name its address in hashed-mirrors of nix.conf`
      : undefined,
    exitStatus: EXIT.ok,
  };
}

function mirrorText(
  folder: string,
  snapshots: readonly ChosenSnapshot[],
  { missing, sources }: ToFolderResult,
): string {
  const shown = escapeControls(folder);
  const files = snapshots.reduce((sum, snapshot) => sum + snapshot.files.length, 0);
  const all = `${count(files, 'file', 'files')} of ${entriesText(snapshots)}`;
  return missing.length === 0
    ? `in ${shown} already: ${all}`
    : `added to ${shown}: ${amountBySource(missing, sources)}; ${all} are there`;
}

/** For every file its name in the folder, and where it came from. */
function mirrorJson(
  folder: string,
  snapshots: readonly ChosenSnapshot[],
  { missing, sources }: ToFolderResult,
): Output<'mirror'> {
  return {
    folder,
    changed: missing.length > 0,
    entries: snapshots.map(({ name, type, repo, rev, files }) => ({
      name,
      type,
      repo,
      rev,
      files: files.map((file) => ({
        path: file.path,
        size: file.size,
        sha256: file.digest.hex,
        source: sources.get(file) ?? 'mirror',
      })),
    })),
  };
}
