import type { CachedRevision } from '../cache/repo-folder.ts';
import { EXIT } from '../errors.ts';
import type { Selection } from '../manifest/schema.ts';
import { visible } from '../quote.ts';
import { selectFiles } from '../resolve/select.ts';
import type { Nix } from '../store/nix.ts';
import { lackingContents, placeFiles } from '../store/plan.ts';
import type { BringContext } from './bring.ts';
import { createEntryReader, type ImportableRepo } from './cached-entry.ts';
import { throwFailures } from './failures.ts';
import { damageText, importContents, unsound } from './import-contents.ts';
import { listingJson } from './listing.ts';
import type { Output } from './output-schema.ts';
import type { CommandResult } from './result.ts';
import { table } from './table.ts';

/** What importing a snapshot needs from outside. */
export interface ImportSnapshotContext extends BringContext {
  readonly openNix: () => Promise<Nix>;
}

const OBSTACLE =
  'No Nix expression: its fileTreeHash is of an answer that only the Hub gives.\n' +
  'Run it again without --offline and HF_HUB_OFFLINE.';

/**
 * Brings the files of one snapshot into the Nix store, with nothing to go by but the cache itself.
 *
 * @throws HugError `EHUG_NOT_CACHED` for damaged files, `EHUG_SELECTION`; those of `importContents`
 */
export async function importSnapshot(
  repo: ImportableRepo,
  revision: CachedRevision,
  select: Selection | undefined,
  context: ImportSnapshotContext,
): Promise<CommandResult> {
  const reader = createEntryReader(context.cacheFolder, context.signal);
  const { named, damaged } = await reader.read(repo, revision);
  for (const damage of damaged) context.warn(damageText(damage));
  throwFailures(damaged.map(({ path }) => unsound(path)));
  const all = [...named.entry.files].map(([path, file]) => ({ path, file, lfs: file.lfs }));
  const { files, warnings } = selectFiles(all, select);
  for (const warning of warnings) context.warn(warning);

  const nix = await context.openNix();
  const { storeFolder } = await nix.facts();
  const entry = { ...named.entry, files: new Map(files.map(({ path, file }) => [path, file])) };
  const placed = placeFiles([{ ...named, entry }], storeFolder);
  const missing = await nix.missing([...new Set(placed.map(({ storePath }) => storePath))]);
  const contents = lackingContents(placed, missing);
  await importContents(contents, { nix, storeFolder }, { ...context, checked: reader.checked });

  const listed = placed.map(({ path, file: { size, lfs }, storePath }) => ({
    path,
    size,
    lfs,
    storePath,
  }));
  const listing = listingJson({ repo: repo.id, type: repo.type, rev: revision.rev, files: listed });
  const rows = table(
    listed.map(({ path, storePath }) => [visible(path), storePath]),
    [],
  );
  return {
    text: [...rows, '', OBSTACLE].join('\n'),
    json: {
      ...listing,
      files: listed.map(({ path, size, lfs, storePath }) => ({
        path,
        size,
        lfs: lfs !== undefined,
        storePath,
      })),
      expression: null,
      obstacle: OBSTACLE,
      storePath: null,
    } satisfies Output<'import-url-offline'>,
    exitStatus: EXIT.ok,
  };
}
