import type { CachedName } from '../../cache/layout.ts';
import { hexOfSri } from '../../integrity.ts';
import type { PlacedFile } from '../../store/plan.ts';

/**
 * What the Hugging Face cache may call a locked file: a repository may be there under the id that
 * was asked for, too.
 */
export function cachedNames({
  type,
  entry,
  path,
  file,
}: Pick<PlacedFile, 'type' | 'entry' | 'path' | 'file'>): CachedName[] {
  const etag = file.lfs === undefined ? file.oid : hexOfSri(file.hash);
  const ids = entry.requested === undefined ? [entry.repo] : [entry.repo, entry.requested];
  return ids.map((id) => ({ type, id, rev: entry.rev, path, etag }));
}
