import { scanCache } from '../cache/scan.ts';
import { type FoundSnapshot, lockableSnapshots } from '../cache/find-snapshot.ts';
import { HugError } from '../errors.ts';
import type { ManifestEntry } from '../manifest/schema.ts';
import type { CommandContext } from './context.ts';
import type { Start } from './dependencies.ts';

/** Where entries begin that the Hugging Face cache has, by id in any case and ref. */
export async function startInCache({ cacheFolder, signal }: CommandContext): Promise<Start> {
  const { repos } = await scanCache(cacheFolder, signal);
  return startAmong(lockableSnapshots(repos));
}

/** The same among snapshots; of two with one ref, the first. */
export function startAmong(snapshots: readonly FoundSnapshot[]): Start {
  const keyOf = (type: string, id: string, ref: string) => `${type} ${id.toLowerCase()} ${ref}`;
  const revs = new Map<string, string>();
  for (const { repo, revision } of snapshots) {
    for (const ref of [...revision.refs, revision.rev]) {
      const key = keyOf(repo.type, repo.id, ref);
      if (!revs.has(key)) revs.set(key, revision.rev);
    }
  }
  return ({ type, repo, want }) =>
    'ref' in want ? revs.get(keyOf(type, repo, want.ref)) : undefined;
}

/** The error for an entry that is to begin at the cached commit, without one. */
export function notCached(repo: string, want: ManifestEntry['want']): HugError {
  const at = 'ref' in want ? want.ref : want.version;
  return new HugError('EHUG_NOT_CACHED', `the Hugging Face cache has no ${repo} at ${at}`, {
    hint: `nix-hug scan lists what it has. Without --cached, the entry begins at the newest commit.`,
  });
}
