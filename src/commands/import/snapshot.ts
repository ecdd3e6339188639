import { EXIT } from '../../errors.ts';
import { visible } from '../../quote.ts';
import { selectFiles } from '../../resolve/select.ts';
import { damageText } from '../bring/bring.ts';
import { throwFailures } from '../failures.ts';
import { listingJson } from '../listing.ts';
import type { Wanted } from '../remote/remote-options.ts';
import { table } from '../table.ts';
import type { EntryReader } from './cached-entry.ts';
import type { CachedSnapshot } from './cached-snapshot.ts';
import { unsound } from './contents.ts';
import type { RepoImport } from './repo.ts';

const OBSTACLE =
  'No Nix expression: its fileTreeHash is of an answer that only the Hub gives.\n' +
  'Run it again without --offline and HF_HUB_OFFLINE.';

/**
 * Reads the files of a snapshot that are to go into the Nix store one by one, with nothing to go by
 * but the cache itself.
 *
 * @throws HugError `EHUG_NOT_CACHED` for damaged files, `EHUG_SELECTION`
 */
export async function importOfSnapshot(
  { repo, revision }: CachedSnapshot,
  { select }: Wanted,
  reader: EntryReader,
  warn: (line: string) => void,
): Promise<RepoImport> {
  const { named, damaged } = await reader.read(repo, revision);
  for (const damage of damaged) warn(damageText(damage));
  throwFailures(damaged.map(({ path }) => unsound(path)));
  const all = [...named.entry.files].map(([path, file]) => ({ path, file, lfs: file.lfs }));
  const { files, warnings } = selectFiles(all, select);
  for (const warning of warnings) warn(warning);
  const entry = { ...named.entry, files: new Map(files.map(({ path, file }) => [path, file])) };
  return {
    named: { ...named, entry },
    tell: async (placed) => {
      const listed = placed.map(({ path, file, storePath }) => ({
        path,
        size: file.size,
        lfs: file.lfs !== undefined,
        storePath,
      }));
      const rows = table(
        listed.map(({ path, storePath }) => [visible(path), storePath]),
        [],
      );
      const { type, id } = repo;
      const sizes = placed.map(({ path, file: { size, lfs } }) => ({ path, size, lfs }));
      const listing = listingJson({ repo: id, type, rev: revision.rev, files: sizes });
      return {
        text: [...rows, '', OBSTACLE].join('\n'),
        json: { ...listing, files: listed, expression: null, obstacle: OBSTACLE, storePath: null },
        exitStatus: EXIT.ok,
      };
    },
  };
}
