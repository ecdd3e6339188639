import { type NamedEntry, namedEntries, placeOf } from './entries.ts';
import type { Lock } from './schema.ts';

/**
 * Entries that have one branch or tag of a repository at different commits, as one sentence each.
 * Each builds alone, but a Hub cache has one commit for a ref, and Nix refuses to make it of both.
 */
export function refClashes(lock: Lock): string[] {
  const firsts = new Map<string, NamedEntry>();
  return namedEntries(lock).flatMap((named) => {
    const { repo, ref, rev } = named.entry;
    const key = JSON.stringify([named.type, repo, ref]);
    const first = firsts.get(key) ?? named;
    firsts.set(key, first);
    if (first.entry.rev === rev) return [];
    return [
      `${placeOf(first)} and ${placeOf(named)} have ${ref} of ${repo} at different commits, and one cache cannot hold both; update both`,
    ];
  });
}
