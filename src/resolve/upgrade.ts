import { hexOfSri } from '../digest.ts';
import type { HubApi } from '../hub/api.ts';
import { isUnavailable } from '../hub/errors.ts';
import type { TreeFile } from '../hub/tree.ts';
import { placeOf } from '../lock/entries.ts';
import type { LockedEntry } from '../lock/schema.ts';
import type { ManifestEntry } from '../manifest/schema.ts';
import { readNeeds } from './resolve-needed.ts';
import { createLicenses, README, readLicense } from './readme.ts';
import type { Resolved, ResolveContext } from './resolve.ts';

/**
 * Asks the Hub, at the locked commit, for what version 1 of the lock did not record: the id of the
 * repository, the licence and what its files name. Commit and files stay. An entry that the Hub no longer gives stays as it
 * is, with a warning.
 *
 * @throws HugError of the Hub client
 */
export async function upgradeEntry(
  wanted: ManifestEntry,
  locked: LockedEntry,
  context: ResolveContext,
): Promise<Resolved> {
  const { hub, licenses = createLicenses([]), report } = context;
  const { type } = wanted;
  const { repo, rev } = locked;
  report('upgrading');
  try {
    const { repoId } = await hub.revision(type, repo, rev);
    const readme = await readmeOf(wanted, locked, hub);
    const contentOf = (file: TreeFile) => hub.contentOf(type, repo, rev, file);
    const [{ warning, ...license }, { entry, edges, warnings }] = await Promise.all([
      readLicense(readme, false, licenses, contentOf),
      readNeeds({ type, entry: locked }, context),
    ]);
    return {
      entry: { ...entry, ...(repoId === undefined ? {} : { repoId }), ...license },
      ...(edges === undefined ? {} : { edges }),
      warnings: [...(warning === undefined ? [] : [warning]), ...warnings],
    };
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    const warning = `kept as it was, without the id of its repository, its licence and what it needs: ${error.message}; nix-hug update ${placeOf(wanted)} asks again`;
    return { entry: locked, warnings: [warning] };
  }
}

/** README.md with the locked digest; where the selection drops it, as the tree has it. */
async function readmeOf(
  { type }: ManifestEntry,
  { repo, rev, select, files }: LockedEntry,
  hub: HubApi,
): Promise<TreeFile | undefined> {
  const file = files.get(README);
  if (file !== undefined) {
    const { oid, size, hash } = file;
    return { path: README, oid, size, lfs: { sha256: hexOfSri(hash) } };
  }
  if (select === undefined) return undefined;
  return (await hub.tree(type, repo, rev)).find(({ path }) => path === README);
}
