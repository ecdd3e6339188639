import { EXIT } from '../../errors.ts';
import { visible } from '../../quote.ts';
import { damageText } from '../bring/bring.ts';
import { narrowed } from '../entries.ts';
import { throwFailures } from '../failures.ts';
import { listingJson, listingOf } from '../listing.ts';
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
  const selected = narrowed(named, select, warn);
  return {
    named: selected,
    tell: async (placed) => {
      const rows = placed.map(({ path, storePath }) => [visible(path), storePath]);
      const files = placed.map(({ path, file: { size, lfs }, storePath }) => ({
        path,
        size,
        lfs: lfs !== undefined,
        storePath,
      }));
      return {
        text: [...(await table(rows, [])), '', OBSTACLE].join('\n'),
        json: {
          ...listingJson(listingOf(selected)),
          files,
          expression: null,
          obstacle: OBSTACLE,
          storePath: null,
        },
        exitStatus: EXIT.ok,
      };
    },
  };
}
