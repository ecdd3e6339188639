import type { HubApi } from '../hub/api.ts';
import type { Pin } from '../lock/diff.ts';
import type { LockedEntry } from '../lock/schema.ts';
import type { ManifestEntry } from '../manifest/schema.ts';
import { satisfies } from './drift.ts';
import { explainMissing, isPinned, renameWarnings } from './explain-missing.ts';
import { type Target, targetOf } from './resolve.ts';
import { isVersion, namesPrerelease, newestTag } from './version.ts';

/** How a locked entry stands to what its repository has now. */
interface Outlook {
  /** The newest that the manifest allows. */
  readonly wanted: Pin;
  /** The newest that there is: the highest version, or the head of the branch. */
  readonly latest: Pin;
  /** Whether `update` would move it. */
  readonly outdated: boolean;
}

/** The same, and what is worth telling the user. */
export interface OutdatedCheck {
  readonly outlook: Outlook;
  readonly warnings: readonly string[];
}

/**
 * Looks up what an entry could be at.
 *
 * @param locked what the lock has; `undefined` when it has nothing
 * @throws HugError of the Hub client; `EHUG_VERSION`
 */
export async function checkOutdated(
  entry: ManifestEntry,
  locked: LockedEntry | undefined,
  hub: HubApi,
): Promise<OutdatedCheck> {
  const target = await targetOf(entry, hub).catch((error: unknown) => {
    throw locked === undefined ? error : explainMissing(error, entry, locked);
  });
  const wanted = pinOf(target);
  const latest = await latestOf(entry, target, hub);
  if (locked === undefined || !satisfies(locked, entry)) {
    return { outlook: { wanted, latest, outdated: true }, warnings: [] };
  }
  const outdated = locked.rev !== wanted.rev || locked.ref !== wanted.ref;
  return { outlook: { wanted, latest, outdated }, warnings: renameWarnings(locked, target.at.id) };
}

/**
 * A commit stands for the branch `main` here. A tag that is a version is an exact version, which
 * another one may follow; whatever else a ref names is its own newest.
 */
async function latestOf(entry: ManifestEntry, target: Target, hub: HubApi): Promise<Pin> {
  const { type, want } = entry;
  const { ref, at } = target;
  if (isPinned(entry)) return pinAt('main');
  if (!isVersion(ref)) return pinOf(target);
  const tags = target.tags ?? (await hub.tags(type, at.id));
  if (!tags.includes(ref)) return pinOf(target);
  const range = 'version' in want ? want.version : ref;
  const tag = newestTag(tags, namesPrerelease(ref) || namesPrerelease(range)) ?? ref;
  return tag === ref ? pinOf(target) : pinAt(tag);

  async function pinAt(name: string): Promise<Pin> {
    return pinOf({ ref: name, at: await hub.revision(type, at.id, name) });
  }
}

const pinOf = ({ ref, at }: Target): Pin => ({ ref, rev: at.rev });
