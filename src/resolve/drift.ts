import { entriesOf } from '../lock/entries.ts';
import type { Lock, LockedEntry } from '../lock/schema.ts';
import type { Manifest, ManifestEntry } from '../manifest/schema.ts';
import type { RepoType } from '../repo.ts';

/** One way in which a lock does not match its manifest. */
export interface Reason {
  /** Name of the entry; `null` when it is about the whole file. */
  readonly entry: string | null;
  readonly type: RepoType | null;
  /** What differs, in words. */
  readonly reason: string;
}

/** How a lock stands to its manifest. */
export interface Drift {
  /** Entries of the manifest that the lock does not answer. */
  readonly stale: readonly ManifestEntry[];
  /** Why; empty when the lock is current. */
  readonly reasons: readonly Reason[];
}

/** Compares a manifest with its lock, without a network. */
export function driftOf(manifest: Manifest, lock: Lock): Drift {
  const judged = manifest.entries.map((entry) => ({
    entry,
    reasons: entryReasons(entry, entriesOf(lock, entry.type).get(entry.name)),
  }));
  const stale = judged.filter(({ reasons }) => reasons.length > 0);
  return {
    stale: stale.map(({ entry }) => entry),
    reasons: [
      ...endpointReasons(manifest, lock),
      ...stale.flatMap(({ entry, reasons }) =>
        reasons.map((reason) => ({ entry: entry.name, type: entry.type, reason })),
      ),
      ...leftovers(manifest, lock),
    ],
  };
}

/** Whether a locked entry satisfies what the manifest asks for. */
export const satisfies = (locked: LockedEntry | undefined, entry: ManifestEntry): boolean =>
  entryReasons(entry, locked).length === 0;

function endpointReasons(manifest: Manifest, lock: Lock): Reason[] {
  if (manifest.endpoint === lock.endpoint) return [];
  const change = changed('endpoint', lock.endpoint, manifest.endpoint);
  return [{ entry: null, type: null, reason: change }];
}

function entryReasons(entry: ManifestEntry, locked: LockedEntry | undefined): string[] {
  if (locked === undefined) return ['is not locked'];
  const repo = locked.requested ?? locked.repo;
  const version = 'version' in entry.want ? entry.want.version : undefined;
  const ref = 'ref' in entry.want ? entry.want.ref : undefined;
  const reasons: string[] = [];
  if (repo !== entry.repo) reasons.push(changed('repo', repo, entry.repo));
  if (version !== locked.version) reasons.push(changed('version', locked.version, version));
  if (version === undefined && locked.version === undefined && ref !== locked.ref) {
    reasons.push(changed('ref', locked.ref, ref));
  }
  return [...reasons, ...selectionReasons(entry.select ?? {}, locked.select ?? {})];
}

function selectionReasons(wanted: PartialSelection, locked: PartialSelection): string[] {
  return (['include', 'exclude', 'files'] as const)
    .filter((key) => JSON.stringify(wanted[key]) !== JSON.stringify(locked[key]))
    .map((key) => changed(key, locked[key], wanted[key]));
}

type PartialSelection = {
  readonly [key in 'include' | 'exclude' | 'files']?: readonly string[] | undefined;
};

function leftovers(manifest: Manifest, lock: Lock): Reason[] {
  return (['model', 'dataset'] as const).flatMap((type) => {
    const wanted = new Set(
      manifest.entries.filter((entry) => entry.type === type).map((entry) => entry.name),
    );
    return [...entriesOf(lock, type).keys()]
      .filter((name) => !wanted.has(name))
      .map((name) => ({ entry: name, type, reason: 'is not in the manifest any more' }));
  });
}

function changed(what: string, from: unknown, to: unknown): string {
  const show = (value: unknown) => (value === undefined ? 'none' : JSON.stringify(value));
  return `${what} changed from ${show(from)} to ${show(to)}`;
}
