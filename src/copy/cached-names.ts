import type { CachedName } from '../cache/layout.ts';
import type { NonEmpty } from '../collections.ts';
import { hexOfSri } from '../digest.ts';
import type { LockedEntry, LockedFile } from '../lock/schema.ts';
import type { PlacedFile } from './placement.ts';

/** What the Hugging Face cache may call a locked file. */
export function cachedNames({
  type,
  entry,
  path,
  file,
}: Pick<PlacedFile, 'type' | 'entry' | 'path' | 'file'>): CachedName[] {
  return namesUnder(idsOf(entry), { type, rev: entry.rev, path, etag: etagOfLocked(file) });
}

/** What the cache may call a file when its repository may be there under any of the ids. */
export const namesUnder = (ids: readonly string[], file: Omit<CachedName, 'id'>): CachedName[] =>
  ids.map((id) => ({ ...file, id }));

/** The ids under which a repository may be in the cache, the one that was asked for first. */
export const idsOf = ({
  repo,
  requested,
}: Pick<LockedEntry, 'repo' | 'requested'>): NonEmpty<string> =>
  requested === undefined ? [repo] : [requested, repo];

/** What the cache calls the content of a locked file. */
export const etagOfLocked = ({ lfs, oid, hash }: LockedFile): string =>
  lfs === undefined ? oid : hexOfSri(hash);
