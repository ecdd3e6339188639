import { HugError } from '../errors.ts';
import type { HubApi } from '../hub/api.ts';
import { type ChangeClass, classesOf } from '../lock/classes.ts';
import type { Pin } from '../lock/diff.ts';
import type { LockedEntry } from '../lock/schema.ts';
import type { WantedEntry } from '../manifest/schema.ts';
import { oldEnoughAt } from './age.ts';
import { satisfies } from './drift.ts';
import { isCode } from './policy.ts';
import { selectFiles } from './select.ts';
import {
  type LookupContext,
  type Target,
  type Waiting,
  isPinned,
  isVersion,
  namesPrerelease,
  newestTag,
  renameWarnings,
  targetOf,
} from './target.ts';

/** A locked entry compared with its repository on the Hub. */
export interface OutdatedCheck {
  /** The newest that the manifest allows. */
  readonly wanted: Pin;
  /** The newest of all: the highest version, or the head of the branch. */
  readonly latest: Pin;
  /** Whether `update` would move the entry. */
  readonly outdated: boolean;
  /** What the files are for that `update` would change; `undefined` where that cannot be told. */
  readonly classes?: readonly ChangeClass[] | undefined;
  /** A newer commit that `minimumAge` lets nobody take yet, and when it will; a midnight of UTC. */
  readonly waiting?: Waiting & { readonly until: string };
  readonly warnings: readonly string[];
}

/**
 * Looks up the newest commits of an entry.
 *
 * @param locked the entry in the lock; `undefined` when it is not locked
 * @throws HugError of the Hub client; `EHUG_VERSION`, `EHUG_REPO_REPLACED`
 */
export async function checkOutdated(
  entry: WantedEntry,
  locked: LockedEntry | undefined,
  context: LookupContext,
): Promise<OutdatedCheck> {
  const target = await targetOf(entry, context, locked);
  const wanted = pinOf(target);
  const latest = await latestOf(entry, target, context.hub);
  const waiting =
    target.waiting === undefined
      ? {}
      : {
          waiting: {
            ...target.waiting,
            until: oldEnoughAt(target.waiting.date, entry.minAge ?? 0),
          },
        };
  if (locked === undefined || !satisfies(locked, entry)) {
    return { wanted, latest, outdated: true, ...waiting, warnings: [] };
  }
  const outdated = locked.rev !== wanted.rev || locked.ref !== wanted.ref;
  const classes = outdated ? await classesOfMove(entry, locked, target, context.hub) : [];
  const warnings = renameWarnings(locked, target.at);
  return { wanted, latest, outdated, classes, ...waiting, warnings };
}

/** The classes of the files that differ: one request for each page of the list of files. */
async function classesOfMove(
  { type, select, code }: WantedEntry,
  locked: LockedEntry,
  { at }: Target,
  hub: HubApi,
): Promise<readonly ChangeClass[] | undefined> {
  if (locked.rev === at.rev) return [];
  try {
    const tree = await hub.tree(type, at.id, at.rev);
    const { files } = selectFiles(tree, select);
    const kept = files.filter(({ path }) => code !== false || !isCode(path));
    const oids = new Map(kept.map(({ path, oid }) => [path, oid]));
    const paths = new Set([...locked.files.keys(), ...oids.keys()]);
    const changed = [...paths].filter((path) => locked.files.get(path)?.oid !== oids.get(path));
    return classesOf(changed, type);
  } catch (error) {
    // `update` says what is wrong: the selection, or a list that the endpoint does not serve.
    if (error instanceof HugError) return undefined;
    throw error;
  }
}

/**
 * For a commit, the head of `main`. For a tag that is a version, the highest version. For every
 * other ref, its own commit.
 */
async function latestOf(entry: WantedEntry, target: Target, hub: HubApi): Promise<Pin> {
  const { type, want } = entry;
  const { ref, at } = target;
  if (isPinned(entry)) return pinAt('main');
  if (target.waiting !== undefined && !isVersion(ref)) {
    return { ref, rev: target.waiting.rev };
  }
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
